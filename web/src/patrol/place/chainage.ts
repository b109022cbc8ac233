// Where on the levee: from a GPS position to 桩号 + side, and back. Pure; WGS-84 degrees in, metres out.
import type { Spot } from '../queue/item'

export type Side = 'water' | 'crest' | 'land'
export interface Fix { lon: number; lat: number; accuracy_m: number; at_ms: number }

/** One vertex of the levee's axis. Chainage in m grows downstream. */
export interface LeveePoint { lon: number; lat: number; chainage_m: number }
/** The axis of the levee. `water_left`: whether the river is on the left hand when walking up the chainage. */
export interface Levee { points: LeveePoint[]; water_left: boolean }

/** Where a position lies against the levee. */
export interface Projected { chainage_m: number; offset_m: number; side: Side; side_sure: boolean }

const EARTH_M_PER_DEGREE = 111_320
const CREST_HALF_WIDTH_M = 6

/** Plane offsets in m east and north of `from`; exact enough over one reach (tens of km). */
export function planeOffset(from: { lon: number; lat: number }, to: { lon: number; lat: number }): { x: number; y: number } {
  const metresPerLon = EARTH_M_PER_DEGREE * Math.cos(((from.lat + to.lat) / 2) * (Math.PI / 180))
  return { x: (to.lon - from.lon) * metresPerLon, y: (to.lat - from.lat) * EARTH_M_PER_DEGREE }
}

/** Distance in m. */
export function distance(a: { lon: number; lat: number }, b: { lon: number; lat: number }): number {
  const { x, y } = planeOffset(a, b)
  return Math.hypot(x, y)
}

/** Bearing in degrees, 0 = north, 90 = east. */
export function bearing(from: { lon: number; lat: number }, to: { lon: number; lat: number }): number {
  const { x, y } = planeOffset(from, to)
  return (Math.atan2(x, y) * (180 / Math.PI) + 360) % 360
}

/** The nearest spot of the levee to a position; null without a levee. The side is sure when GPS cannot be on the other one. */
export function project(levee: Levee | null, fix: Pick<Fix, 'lon' | 'lat' | 'accuracy_m'>): Projected | null {
  let best: { chainage_m: number; offset_m: number; left: boolean } | null = null
  const points = levee?.points ?? []
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1]
    const b = points[i]
    if (a === undefined || b === undefined) continue
    const along = planeOffset(a, b)
    const here = planeOffset(a, fix)
    const length2 = along.x * along.x + along.y * along.y
    if (length2 === 0) continue
    const t = Math.min(1, Math.max(0, (here.x * along.x + here.y * along.y) / length2))
    const offset = Math.hypot(here.x - t * along.x, here.y - t * along.y)
    if (best !== null && offset >= best.offset_m) continue
    const left = along.x * here.y - along.y * here.x > 0
    best = { chainage_m: a.chainage_m + t * (b.chainage_m - a.chainage_m), offset_m: offset, left }
  }
  if (best === null || levee === null) return null
  const side: Side = best.offset_m <= CREST_HALF_WIDTH_M ? 'crest' : best.left === levee.water_left ? 'water' : 'land'
  const sure = side === 'crest' ? fix.accuracy_m <= CREST_HALF_WIDTH_M : best.offset_m - fix.accuracy_m > CREST_HALF_WIDTH_M
  return { chainage_m: best.chainage_m, offset_m: best.offset_m, side, side_sure: sure }
}

/** The point of the axis at a chainage, clamped to its ends; null without a levee. */
export function pointAt(levee: Levee | null, chainage_m: number): { lon: number; lat: number } | null {
  const points = levee?.points ?? []
  const first = points[0]
  const last = points[points.length - 1]
  if (first === undefined || last === undefined) return null
  if (chainage_m <= first.chainage_m) return { lon: first.lon, lat: first.lat }
  for (let i = 1; i < points.length; i++) {
    const a = points[i - 1]
    const b = points[i]
    if (a === undefined || b === undefined || chainage_m > b.chainage_m) continue
    const t = b.chainage_m === a.chainage_m ? 0 : (chainage_m - a.chainage_m) / (b.chainage_m - a.chainage_m)
    return { lon: a.lon + t * (b.lon - a.lon), lat: a.lat + t * (b.lat - a.lat) }
  }
  return { lon: last.lon, lat: last.lat }
}

/** Reads `K9+200`, `9+200` or `9200`; null for anything else. */
export function chainageFrom(text: string): number | null {
  const post = /^\s*[Kk]?(\d{1,4})\+(\d{3})\s*$/.exec(text)
  if (post) return Number(post[1]) * 1000 + Number(post[2])
  return /^\s*\d{1,7}\s*$/.test(text) ? Number(text) : null
}

/** Moves a chainage by steps of 50 m, from round posts to round posts, within the levee. */
export function nudge(levee: Levee | null, chainage_m: number, step_m: number): number {
  const moved = step_m > 0 ? Math.floor(chainage_m / 50) * 50 + step_m : Math.ceil(chainage_m / 50) * 50 + step_m
  const first = levee?.points[0]?.chainage_m ?? 0
  const last = levee?.points[levee.points.length - 1]?.chainage_m ?? Number.POSITIVE_INFINITY
  return Math.min(last, Math.max(first, moved))
}

/** What goes on the wire for a spot: metres rounded, degrees to six places (0.1 m). */
export function spotOf(chainage_m: number | null, side: Side | null, fix: Pick<Fix, 'lon' | 'lat'> | null): Spot {
  const spot: Spot = {}
  if (chainage_m !== null) spot.chainage = Math.round(chainage_m)
  if (side !== null) spot.side = side
  if (fix !== null) {
    spot.lon = Math.round(fix.lon * 1e6) / 1e6
    spot.lat = Math.round(fix.lat * 1e6) / 1e6
  }
  return spot
}
