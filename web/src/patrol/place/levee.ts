// Reads the levee's axis from the map layer `levee` (GeoJSON): the features of kind `levee`, else all its lines. A layer without a usable line gives null, never a guess.
import { distance, type Levee, type LeveePoint } from './chainage'

interface Feature { geometry?: { type?: string; coordinates?: unknown } | null; properties?: Record<string, unknown> | null }

/** The levee of a GeoJSON feature collection, sections joined in the order of their chainage. */
export function leveeFrom(layer: unknown): Levee | null {
  const features = (layer as { features?: Feature[] } | null)?.features
  if (!Array.isArray(features)) return null
  const axes = features.filter((feature) => feature.properties?.kind === 'levee')
  const sections = (axes.length > 0 ? axes : features).flatMap(sectionsOf).sort((a, b) => a.from - b.from)
  const points: LeveePoint[] = []
  for (const section of sections) points.push(...measured(section, points[points.length - 1]?.chainage_m ?? 0))
  if (points.length < 2) return null
  const right = features.some((feature) => feature.properties?.water_side === 'right')
  return { points, water_left: !right }
}

interface Section { line: [number, number][]; from: number; to: number | null; stated: boolean }

function sectionsOf(feature: Feature): Section[] {
  const line = lineOf(feature.geometry)
  if (line.length < 2) return []
  const from = numberOf(feature.properties, 'from_m')
  return [{ line, from: from ?? 0, to: numberOf(feature.properties, 'to_m'), stated: from !== null }]
}

function lineOf(geometry: Feature['geometry']): [number, number][] {
  if (geometry?.type === 'LineString') return pairs(geometry.coordinates)
  if (geometry?.type === 'MultiLineString' && Array.isArray(geometry.coordinates)) return geometry.coordinates.flatMap(pairs)
  return []
}

function pairs(coordinates: unknown): [number, number][] {
  if (!Array.isArray(coordinates)) return []
  return coordinates.filter((at): at is [number, number] => Array.isArray(at) && Number.isFinite(at[0]) && Number.isFinite(at[1]))
}

/** Spreads the stated chainages over the line's length; a line without them is measured from where the last one ended. */
function measured(section: Section, before: number): LeveePoint[] {
  const from = section.stated ? section.from : before
  const lengths = [0]
  for (let i = 1; i < section.line.length; i++) {
    const [a, b] = [section.line[i - 1], section.line[i]]
    if (a === undefined || b === undefined) continue
    lengths.push((lengths[i - 1] ?? 0) + distance({ lon: a[0], lat: a[1] }, { lon: b[0], lat: b[1] }))
  }
  const whole = lengths[lengths.length - 1] ?? 0
  const scale = section.to === null || whole === 0 ? 1 : (section.to - from) / whole
  return section.line.map(([lon, lat], i) => ({ lon, lat, chainage_m: from + (lengths[i] ?? 0) * scale }))
}

function numberOf(properties: Feature['properties'], key: string): number | null {
  const value = properties?.[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
