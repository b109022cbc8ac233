// Features of the map as a list: names, places, and what lies in view.
import type { Feature, FeatureCollection, Geometry, Position } from 'geojson'
import { chainage } from '@/format/number'
import { currentLocale } from '@/i18n'
import { LIST_ORDER } from './layers'

export interface Row { layer: string; id: string; name: string; state: string; place: string; lon: number; lat: number }
export type Box = [west: number, south: number, east: number, north: number]
type Properties = Record<string, unknown>

export const idOf = (feature: Feature): string => String(feature.properties?.id ?? feature.id ?? '')

export function nameOf(properties: Properties): string {
  const [first, second] = currentLocale() === 'en' ? ['name_en', 'name_zh'] : ['name_zh', 'name_en']
  return String(properties[first!] ?? properties[second!] ?? properties.name ?? properties.id ?? '')
}

function positions(geometry: Geometry): Position[] {
  switch (geometry.type) {
    case 'Point': return [geometry.coordinates]
    case 'LineString': case 'MultiPoint': return geometry.coordinates
    case 'Polygon': return geometry.coordinates[0] ?? []
    case 'MultiLineString': return geometry.coordinates.flat()
    case 'MultiPolygon': return geometry.coordinates.flatMap((polygon) => polygon[0] ?? [])
    case 'GeometryCollection': return geometry.geometries.flatMap(positions)
  }
}

/** Middle of the box around a geometry; null for an empty one. */
export function centre(geometry: Geometry): [number, number] | null {
  const box = bounds(geometry)
  return box && [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]
}

export function bounds(geometry: Geometry): Box | null {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity]
  for (const [lon, lat] of positions(geometry)) {
    if (lon === undefined || lat === undefined) continue
    box[0] = Math.min(box[0], lon)
    box[1] = Math.min(box[1], lat)
    box[2] = Math.max(box[2], lon)
    box[3] = Math.max(box[3], lat)
  }
  return Number.isFinite(box[0]) ? box : null
}

export const overlaps = (a: Box, b: Box): boolean => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]

function placeOf(properties: Properties): string {
  const metres = properties.chainage_m ?? properties.from_m
  return typeof metres === 'number' ? chainage(metres) : ''
}

/** Rows of what is in view, the urgent layers first, open hazards by grade. */
export function listRows(layers: Map<string, FeatureCollection>, shown: (layer: string) => boolean, view: Box | null, limit: number): { rows: Row[]; more: number } {
  const rows: (Row & { grade: number })[] = []
  let more = 0
  for (const layer of LIST_ORDER) {
    if (!shown(layer)) continue
    const found: (Row & { grade: number })[] = []
    for (const feature of layers.get(layer)?.features ?? []) {
      const box = feature.geometry && bounds(feature.geometry)
      if (!box || (view && !overlaps(box, view))) continue
      const properties = feature.properties ?? {}
      if (properties.kind === 'stake' || properties.kind === 'segment') continue
      found.push({ layer, id: idOf(feature), name: nameOf(properties), state: String(properties.state ?? ''), place: placeOf(properties), lon: (box[0] + box[2]) / 2, lat: (box[1] + box[3]) / 2, grade: Number(properties.grade ?? 0) })
    }
    if (layer === 'hazards') found.sort((a, b) => Number(a.state !== 'open') - Number(b.state !== 'open') || b.grade - a.grade)
    const room = Math.max(0, limit - rows.length)
    rows.push(...found.slice(0, room))
    more += Math.max(0, found.length - room)
  }
  return { rows, more }
}

/** Whether a point lies in a ring (even-odd rule). */
export function inside(point: Position, ring: Position[]): boolean {
  const [x, y] = [point[0] ?? NaN, point[1] ?? NaN]
  let within = false
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [xi, yi, xj, yj] = [ring[i]?.[0] ?? NaN, ring[i]?.[1] ?? NaN, ring[j]?.[0] ?? NaN, ring[j]?.[1] ?? NaN]
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) within = !within
  }
  return within
}

/** Squared distance in a local plane, good enough to rank neighbours. */
export function distance2(a: Position, b: Position): number {
  const dx = ((a[0] ?? 0) - (b[0] ?? 0)) * Math.cos(((a[1] ?? 0) * Math.PI) / 180)
  return dx * dx + ((a[1] ?? 0) - (b[1] ?? 0)) ** 2
}
