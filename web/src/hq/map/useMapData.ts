// Reads the layers of the map and keeps them fresh; a layer that fails says so and is tried again.
import type { FeatureCollection } from 'geojson'
import { onBeforeUnmount, onMounted, shallowRef, triggerRef, watch, type ShallowRef } from 'vue'
import { ApiError, api } from '@/api/client'
import { hazardNames } from '@/patrol/hazardNames'
import { hazardOf } from '@/patrol/hazards'
import { useLive } from '@/stores/live'
import { usePreview } from '@/stores/preview'
import { useScrub } from '@/stores/scrub'
import { MAP_LAYERS } from './layers'

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
  function path(name: string): string {
    if (name !== 'inundation') return `/map/${name}`
    const scenario = preview.result?.inundation?.scenario
    return waterPath(scenario ? preview.result?.discharge_m3s ?? null : null, scrub.ahead_h, scenario?.run, scenario?.breach)
  }
  let stopped = false

  async function load(name: string): Promise<void> {
    const known = MAP_LAYERS.find((layer) => layer.name === name)
    let again = known?.every_ms ?? 0
    const asked = path(name)
    try {
      const answer = await api.get<FeatureCollection>(asked)
      if (asked !== path(name)) return schedule(name, FRAME_MS) // The scrubber has moved on.
      if (!Array.isArray(answer?.features)) throw new Error(`layer ${name} is no feature collection`)
      layers.value.set(name, name === 'depots' ? withLowStock(answer) : name === 'hazards' ? withHazard(answer) : answer)
      faults.value.delete(name)
    } catch (cause) {
      faults.value.set(name, cause)
      // A layer that this site does not have is not asked for again.
      again = cause instanceof ApiError && cause.status === 404 ? 0 : again || RETRY_MS
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
  watch(() => path('inundation'), () => schedule('inundation', FRAME_MS))
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
