// Dams and open hazards from the map layers, as far as the strip map and the report page need them.

export interface Dam { id: string; name: { zh: string; en: string }; number: string; chainage_m: number; lon: number; lat: number; on_levee: boolean }
export interface OpenHazard { id: string; type: string; lon: number; lat: number; chainage_m: number | null; since: string | null }

interface Feature { id?: unknown; geometry?: { type?: string; coordinates?: unknown } | null; properties?: Record<string, unknown> | null }

function featuresOf(layer: unknown): Feature[] {
  const features = (layer as { features?: Feature[] } | null)?.features
  return Array.isArray(features) ? features : []
}

/** The dams of the layer `dams`, upstream first. One without post or place is left out. */
export function damsFrom(layer: unknown): Dam[] {
  return featuresOf(layer).flatMap((feature): Dam[] => {
    const at = firstPoint(feature.geometry?.coordinates)
    const chainage_m = feature.properties?.chainage_m
    if (at === null || typeof chainage_m !== 'number') return []
    const text = (key: string): string => String(feature.properties?.[key] ?? '')
    return [{ id: text('id') || String(feature.id ?? ''), name: { zh: text('name_zh'), en: text('name_en') }, number: text('number'), chainage_m, lon: at[0], lat: at[1], on_levee: !text('work').includes('training') }]
  }).sort((a, b) => a.chainage_m - b.chainage_m)
}

/** Hazards of the layer `hazards` that are still open; the layer also carries other reports. */
export function openHazardsFrom(layer: unknown): OpenHazard[] {
  return featuresOf(layer).flatMap((feature): OpenHazard[] => {
    const at = firstPoint(feature.geometry?.coordinates)
    const { kind, type, state, place, observed_at } = feature.properties ?? {}
    if (at === null || kind !== 'hazard' || typeof type !== 'string' || state !== 'open') return []
    const chainage = (place as { chainage?: unknown } | null | undefined)?.chainage
    const id = String(feature.properties?.id ?? feature.id ?? '')
    return id === '' ? [] : [{ id, type, lon: at[0], lat: at[1], chainage_m: typeof chainage === 'number' ? chainage : null, since: typeof observed_at === 'string' ? observed_at : null }]
  })
}

function firstPoint(coordinates: unknown): [number, number] | null {
  if (!Array.isArray(coordinates)) return null
  if (typeof coordinates[0] === 'number' && typeof coordinates[1] === 'number') return [coordinates[0], coordinates[1]]
  return firstPoint(coordinates[0])
}

/** The dam nearest to a post, if one is within `within_m`. */
export function damNear(dams: readonly Dam[], chainage_m: number, within_m = 120): Dam | null {
  let best: Dam | null = null
  for (const dam of dams) {
    const off = Math.abs(dam.chainage_m - chainage_m)
    if (off <= within_m && (best === null || off < Math.abs(best.chainage_m - chainage_m))) best = dam
  }
  return best
}
