// From the points of a series to what is drawn: where the line runs, where it is dotted, where it must break.
import type { Grade, Point } from '@/api/types'

/** Seconds since 1970 and a value; null breaks the line there. */
export interface Track { t: number[]; v: (number | null)[] }

/** Usable for a line: measured or entered by a person. */
const SOLID = new Set<Grade>(['good', 'manual'])
const USABLE = new Set<Grade>(['good', 'manual', 'estimated'])

export const seconds = (iso: string): number => Date.parse(iso) / 1000

function add(track: Track, t: number, v: number | null): void {
  track.t.push(t)
  track.v.push(v)
}

/** The usual distance of two points, as their median; falls back to `fallback_s` for fewer than three points. */
export function usualInterval(points: Point[], fallback_s: number): number {
  const gaps: number[] = []
  for (let i = 1; i < points.length; i += 1) gaps.push(seconds(points[i]!.t) - seconds(points[i - 1]!.t))
  const sorted = gaps.filter((gap) => gap > 0).sort((a, b) => a - b)
  return sorted.length < 2 ? fallback_s : sorted[Math.floor(sorted.length / 2)]!
}

export interface Tracks { solid: Track; dotted: Track; manual: Track; flagged: Track }

/** Splits points into tracks. A hole of more than two intervals is never bridged. Flagged points stand apart from the line. */
export function tracks(points: Point[], interval_s: number): Tracks {
  const out: Tracks = { solid: { t: [], v: [] }, dotted: { t: [], v: [] }, manual: { t: [], v: [] }, flagged: { t: [], v: [] } }
  let last: { t: number; v: number; q: Grade } | null = null
  for (const point of points) {
    const t = seconds(point.t)
    if (Number.isNaN(t) || point.v === null) continue
    if (point.q === 'manual') add(out.manual, t, point.v)
    if (!USABLE.has(point.q)) {
      add(out.flagged, t, point.v)
      continue
    }
    const joined = last !== null && t - last.t <= 2 * interval_s
    const track = SOLID.has(point.q) && !(joined && last?.q === 'estimated') ? out.solid : out.dotted
    if (last !== null && !joined) for (const line of [out.solid, out.dotted]) add(line, (last.t + t) / 2, null)
    if (joined && last && track === out.dotted && last.q !== 'estimated') {
      // The dotted stretch begins where the solid one ends.
      add(out.solid, (last.t + t) / 2, null)
      if (out.dotted.v.length > 0) add(out.dotted, (out.dotted.t.at(-1)! + last.t) / 2, null)
      add(out.dotted, last.t, last.v)
    }
    add(track, t, point.v)
    // The far end of a dotted stretch is also the near end of the next solid one.
    if (track === out.dotted && SOLID.has(point.q)) add(out.solid, t, point.v)
    last = { t, v: point.v, q: point.q }
  }
  return out
}

/** One common time axis; `undefined` where a track has no sample, which does not break its line. */
export function align(list: Track[]): [number[], ...(number | null | undefined)[][]] {
  const axis = [...new Set(list.flatMap((track) => track.t))].sort((a, b) => a - b)
  const at = new Map(axis.map((t, i) => [t, i]))
  return [axis, ...list.map((track) => {
    const column: (number | null | undefined)[] = new Array(axis.length).fill(undefined)
    track.t.forEach((t, i) => (column[at.get(t)!] = track.v[i]))
    return column
  })]
}

export interface Mark { kind: 'peak' | 'crossing' | 'latest'; t: number; v: number; rising?: boolean }

/** The highest that was measured in a step; its value is only the mean. */
export const highest = (point: { v: number | null; max?: number }): number | null => (point.v === null ? null : Math.max(point.v, point.max ?? point.v))

/** Highest usable value, not mean, once the water has fallen again by a twentieth of its range: a ripple is no peak. */
export function peak(points: { t: string; v: number | null; max?: number }[]): { t: number; v: number } | null {
  let best: { t: number; v: number; i: number } | null = null
  points.forEach((point, i) => {
    const high = highest(point)
    if (high !== null && (best === null || high > best.v)) best = { t: seconds(point.t), v: high, i }
  })
  const found = best as { t: number; v: number; i: number } | null
  if (found === null || found.i === 0) return null
  const values = points.flatMap((point) => (point.v === null ? [] : [point.v]))
  const after = points.slice(found.i + 1).flatMap((point) => (point.v === null ? [] : [point.v]))
  const fall = found.v - Math.min(found.v, ...after)
  return fall < 0.05 * (found.v - Math.min(...values)) || fall === 0 ? null : { t: found.t, v: found.v }
}

export const usable = (points: Point[]): Point[] => points.filter((point) => point.v !== null && USABLE.has(point.q))

/** Where the line passes a limit upwards or downwards, by straight lines between neighbours. */
export function crossings(points: Point[], limit: number, interval_s: number): Mark[] {
  const marks: Mark[] = []
  const good = usable(points)
  for (let i = 1; i < good.length; i += 1) {
    const [a, b] = [good[i - 1]!, good[i]!]
    const [ta, tb] = [seconds(a.t), seconds(b.t)]
    if (tb - ta > 2 * interval_s || a.v! >= limit === b.v! >= limit) continue
    marks.push({ kind: 'crossing', t: ta + ((tb - ta) * (limit - a.v!)) / (b.v! - a.v!), v: limit, rising: b.v! > a.v! })
  }
  return marks
}

/** A round axis around the values: from zero for discharge, from a round number for stage. */
export function axisRange(low: number, high: number, fromZero: boolean): [number, number] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [0, 1]
  const base = fromZero ? 0 : low
  const span = Math.max(high - base, fromZero ? 100 : 0.5)
  const step = 10 ** Math.floor(Math.log10(span)) / 2
  return [fromZero ? 0 : Math.floor((low - span * 0.05) / step) * step, Math.ceil((high + span * 0.18) / step) * step]
}

/** Forecasts are straight between points that are no further apart, s. */
export const FORECAST_STEP_S = 6 * 3600

/** What a forecast gives for a moment between two of its points; null beyond them and in a hole. */
export function expectedAt(points: { t: string; v: number | null }[], at: number): number | null {
  const next = points.findIndex((point) => seconds(point.t) >= at)
  const [from, to] = [points[next - 1] ?? points[next], points[next]]
  if (!from || !to || from.v === null || to.v === null) return null
  const span = seconds(to.t) - seconds(from.t)
  if (span > FORECAST_STEP_S) return null
  return span === 0 ? to.v : from.v + ((to.v - from.v) * (at - seconds(from.t))) / span
}
