// Reads the layers of the map and keeps them fresh; a layer that fails says so and is tried again.
import type { FeatureCollection } from 'geojson'
import { onBeforeUnmount, onMounted, shallowRef, triggerRef, watch, type ShallowRef } from 'vue'
import { ApiError, api } from '@/api/client'
import type { Text, WaterGrid, WaterScenario } from '@/api/types'
import { hazardNames } from '@/patrol/hazardNames'
import { hazardOf } from '@/patrol/hazards'
import { useClock } from '@/stores/clock'
import { useLive } from '@/stores/live'
import { usePreview } from '@/stores/preview'
import { useScrub } from '@/stores/scrub'
import { useTwin } from '@/stores/twin'
import { keyGauge } from '../keyStation'
import { course } from '../seriesCache'
import { MAP_LAYERS } from './layers'
import { hoursAhead, outlookAt, type NoOutlook, type Outlook } from './outlook'

/** A store is low when an article of it is below the least amount that its register names. */
function withLowStock(data: FeatureCollection): FeatureCollection {
  return { ...data, features: data.features.map((feature) => {
    const stock = (feature.properties?.stock ?? []) as { amount: number; least: number }[]
    return { ...feature, properties: { ...feature.properties, low: feature.properties?.low ?? stock.some((item) => item.amount < item.least) } }
  }) }
}

/** Reports carry the kind of hazard; its sign, family and name are those that the phones use. Only hazards and cries for help are signs of the map. */
function withHazard(data: FeatureCollection): FeatureCollection {
  const shown = data.features.filter((feature) => !['patrol', 'task', 'tip'].includes(String(feature.properties?.kind)))
  return { ...data, features: shown.map((feature) => {
    const properties = feature.properties ?? {}
    const type = String(properties.type ?? '')
    const hazard = hazardOf(type)
    const place = properties.place as { chainage?: number | null } | undefined
    const sos = properties.kind === 'sos'
    return { ...feature, properties: {
      sign: sos ? '救' : hazard?.sign, family: sos ? 'breach' : (hazard?.family ?? 'other'), chainage_m: place?.chainage ?? undefined,
      name_zh: sos ? 'SOS' : (hazardNames['zh-CN'][type] ?? type), name_en: sos ? 'SOS' : (hazardNames.en[type] ?? type), ...properties,
    } }
  }) }
}

const RETRY_MS = 30_000
/** The scrubber moves faster than frames are worth fetching. */
const FRAME_MS = 120

/** The water of the preview at the scrubber's hour; its highest while the scrubber follows the clock. */
export function waterPath(discharge_m3s: number | null, ahead_h: number | null, run: number | null = null, breach: string | null = null): string {
  if (discharge_m3s === null) return '/map/inundation'
  const hour = ahead_h !== null && ahead_h > 0 ? `&hour=${Math.min(240, ahead_h).toFixed(2)}` : ''
  return `/map/inundation?scenario=${discharge_m3s}${breach === null ? '' : `&breach=${encodeURIComponent(breach)}`}${run === null ? '' : `&run=${run}`}${hour}`
}

/** Water as the server sends it; `outlook`: it is that of a moment to come, or why there is none. */
export interface WaterLayer extends FeatureCollection { scenario?: WaterScenario; grid?: WaterGrid; hour?: number | null; assumed?: boolean; note?: Text; outlook?: Outlook | NoOutlook }

export interface MapData {
  layers: ShallowRef<Map<string, FeatureCollection>>
  faults: ShallowRef<Map<string, unknown>>
  settled: ShallowRef<boolean>
}

export function useMapData(): MapData {
  const layers = shallowRef(new Map<string, FeatureCollection>())
  const faults = shallowRef(new Map<string, unknown>())
  /** Every layer but the water was asked for at least once. */
  const settled = shallowRef(false)
  const timers = new Map<string, ReturnType<typeof setTimeout>>()
  const live = useLive()
  const preview = usePreview()
  const scrub = useScrub()
  const clock = useClock()
  const twin = useTwin()
  /** The water of the what-if at an hour; that of now where the what-if has none. */
  function assumedPath(ahead_h: number | null): string {
    const scenario = preview.result?.inundation?.scenario
    return waterPath(scenario ? preview.result?.discharge_m3s ?? null : null, ahead_h, scenario?.run, scenario?.breach)
  }
  /** Which water is wanted: assumed, to come, or that of now. */
  const waterKind = (): string => (preview.active ? assumedPath(null) : hoursAhead(scrub.ahead_h) === null ? 'now' : 'ahead')
  /** Changes when another discharge or another hour to come is wanted. */
  const waterWish = (): string => `${waterKind()} ${hoursAhead(scrub.ahead_h)?.toFixed(2)}`
  /** One question about the water at a time. */
  let asking = false
  let stopped = false

  async function loadWater(): Promise<WaterLayer> {
    const hours = hoursAhead(scrub.ahead_h)
    if (preview.active || hours === null) return api.get(assumedPath(hours))
    const at_ms = clock.now + hours * 3_600_000
    const station = keyGauge(live.situation)?.station
    const forecast = station ? (await course(`${station}.discharge`, clock.now, clock.speed)).forecast : null
    const outlook = outlookAt(at_ms, hours, twin.now, forecast)
    if ('none' in outlook) return { type: 'FeatureCollection', features: [], outlook }
    return { ...await api.get<WaterLayer>(waterPath(outlook.discharge_m3s, null, null, outlook.breach)), outlook }
  }

  async function load(name: string): Promise<void> {
    const known = MAP_LAYERS.find((layer) => layer.name === name)
    let again = known?.every_ms ?? 0
    const isWater = name === 'inundation'
    if (isWater && asking) return
    asking ||= isWater
    const [kind, wish] = [waterKind(), waterWish()]
    try {
      const answer = await (isWater ? loadWater() : api.get<FeatureCollection>(`/map/${name}`))
      if (!Array.isArray(answer?.features)) throw new Error(`layer ${name} is no feature collection`)
      // The water of a what-if that was left is not drawn; one of another hour says its own hour until the next is here.
      if (!isWater || kind === waterKind()) layers.value.set(name, name === 'depots' ? withLowStock(answer) : name === 'hazards' ? withHazard(answer) : answer)
      faults.value.delete(name)
    } catch (cause) {
      faults.value.set(name, cause)
      // A layer that this site does not have is not asked for again.
      again = cause instanceof ApiError && cause.status === 404 ? 0 : again || RETRY_MS
      // The water of now is never left standing for that of an hour to come.
      const hours = hoursAhead(scrub.ahead_h)
      if (isWater && waterKind() === 'ahead' && hours !== null) layers.value.set(name, { type: 'FeatureCollection', features: [], outlook: { at_ms: clock.now + hours * 3_600_000, hours, none: 'fault' } } as WaterLayer)
    }
    if (isWater) {
      asking = false
      if (wish !== waterWish()) again = FRAME_MS
    }
    if (stopped) return
    triggerRef(layers)
    triggerRef(faults)
    schedule(name, again)
  }

  function schedule(name: string, after_ms: number): void {
    const old = timers.get(name)
    if (old) clearTimeout(old)
    if (after_ms > 0) timers.set(name, setTimeout(() => void load(name), after_ms))
  }

  // Another discharge or another hour is other water.
  watch(waterWish, () => schedule('inundation', FRAME_MS))
  watch(() => twin.now, () => waterKind() === 'ahead' && schedule('inundation', FRAME_MS))
  // A report changes hazards and the colour of its grid at once.
  watch(() => live.reports, () => {
    schedule('hazards', 300)
    schedule('grids', 600)
  })

  onMounted(async () => {
    // The water is worked out by the server and may take a moment: the map is whole without it.
    void load('inundation')
    await Promise.all(MAP_LAYERS.filter((layer) => layer.name !== 'inundation').map((layer) => load(layer.name)))
    settled.value = true
  })
  onBeforeUnmount(() => {
    stopped = true
    for (const timer of timers.values()) clearTimeout(timer)
  })

  return { layers, faults, settled }
}
