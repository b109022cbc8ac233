// What the search box finds: gauges, places of the map, people, and points along the levee.
import type { FeatureCollection } from 'geojson'
import type { Gauge, Member } from '@/api/types'
import { centre, idOf, nameOf } from './map/features'
import { LIST_ORDER } from './map/layers'

export interface Found { kind: string; id: string; name: string; detail: string; lon: number | null; lat: number | null; station?: string }
const SEARCHED = LIST_ORDER.filter((layer) => !['inundation', 'levee', 'routes', 'members', 'gauges'].includes(layer))

/** Metres of `K9+200`, `9+200`, `k9`; null for anything else. */
export function parseChainage(text: string): number | null {
  const match = /^k?(\d{1,3})(?:\+(\d{1,3}))?$/i.exec(text.normalize('NFKC').replace(/\s/g, ''))
  if (!match || (!/k/i.test(text) && match[2] === undefined)) return null
  return Number(match[1]) * 1000 + Number(match[2] ?? 0)
}

/** The feature whose chainage is nearest, at most `within` metres away. */
function atChainage(layers: Map<string, FeatureCollection>, metres: number, within = 600): Found | null {
  let best: { far: number; found: Found } | null = null
  for (const layer of ['levee', 'dams', 'stones']) {
    for (const feature of layers.get(layer)?.features ?? []) {
      const at = feature.properties?.chainage_m
      const place = typeof at === 'number' && feature.geometry ? centre(feature.geometry) : null
      if (!place) continue
      const far = Math.abs(at - metres)
      if (far <= within && (best === null || far < best.far)) best = { far, found: { kind: layer, id: idOf(feature), name: nameOf(feature.properties ?? {}), detail: '', lon: place[0], lat: place[1] } }
    }
  }
  return best?.found ?? null
}

export function find(text: string, gauges: Gauge[], members: Member[], layers: Map<string, FeatureCollection>, limit = 30): Found[] {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return []
  const found: Found[] = []
  const metres = parseChainage(text)
  const point = metres === null ? null : atChainage(layers, metres)
  if (point) found.push(point)
  const stations = new Set<string>()
  for (const gauge of gauges) {
    if (stations.has(gauge.station) || ![gauge.station, gauge.name.zh, gauge.name.en].some((name) => name.toLowerCase().includes(wanted))) continue
    stations.add(gauge.station)
    found.push({ kind: 'gauges', id: gauge.station, name: `${gauge.name.zh} ${gauge.name.en}`, detail: '', lon: null, lat: null, station: gauge.station })
  }
  for (const layer of SEARCHED) {
    for (const feature of layers.get(layer)?.features ?? []) {
      const properties = feature.properties ?? {}
      if (![properties.name_zh, properties.name_en, idOf(feature)].some((name) => String(name ?? '').toLowerCase().includes(wanted))) continue
      const place = feature.geometry ? centre(feature.geometry) : null
      found.push({ kind: layer, id: idOf(feature), name: nameOf(properties), detail: '', lon: place?.[0] ?? null, lat: place?.[1] ?? null })
      if (found.length >= limit) return found
    }
  }
  for (const member of members) {
    if (![member.name, member.member].some((name) => name.toLowerCase().includes(wanted))) continue
    found.push({ kind: 'members', id: member.member, name: member.name, detail: member.phone, lon: member.lon, lat: member.lat })
    if (found.length >= limit) return found
  }
  return found
}
