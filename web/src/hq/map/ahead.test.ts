// The map as the time control moves ahead of now and back.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import type { FeatureCollection } from 'geojson'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import { api } from '@/api/client'
import type { Preview, Series, Situation, TwinNow } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { useClock } from '@/stores/clock'
import { useLive } from '@/stores/live'
import { usePreview } from '@/stores/preview'
import { useScrub } from '@/stores/scrub'
import { useTwin } from '@/stores/twin'
import { messages } from '../messages'
import { forget } from '../seriesCache'
import MapPanel from './MapPanel.vue'

addMessages(messages)
/** Stands in for the engine, which jsdom cannot run. */
const Canvas = defineComponent({ props: { layers: { type: Map<string, FeatureCollection>, required: true } }, render: () => null })
const NOW = Date.parse('2026-07-16T10:00:00+08:00')
const text = (zh: string) => ({ zh, en: zh })
const point = (h: number, v: number) => ({ t: new Date(NOW + h * 3_600_000).toISOString(), v, low: v - 200, high: v + 400 })
const series = { series: 'huayuankou.discharge', unit: 'm3/s', points: [], forecast: { issued_at: '2026-07-16T09:50:00+08:00', method: text(''), points: [point(1, 5600), point(6, 6600), point(12, 5600)] } } as unknown as Series
const twin = { state: 'live', discharge: { m3s: 5400, at: new Date(NOW).toISOString(), age_s: 0, looked_up_m3s: 5400 }, breaches: [], places: [], tasks: [], ways: [{ id: 'route-1', at: new Date(NOW + 3 * 3_600_000).toISOString() }, { id: 'route-2', at: new Date(NOW + 9 * 3_600_000).toISOString() }] } as unknown as TwinNow
const square = { type: 'Feature', geometry: { type: 'Polygon', coordinates: [] }, properties: { depth_m: 1 } }
const way = (id: string) => ({ type: 'Feature', geometry: { type: 'LineString', coordinates: [] }, properties: { id, flooded: false } })
/** The water as `GET /map/inundation` answers. */
const water = (q: number, assumed: boolean) => ({ type: 'FeatureCollection', features: [square], scenario: { discharge_m3s: q, breach: null, rests: 'between', run: null, words: text('情景库 6000 与 8000 m³/s 之间内插'), highest_froude: 0.3 }, grid: { cell_m: 100, synthetic: true }, hour: null, assumed })

let asked: string[]
let fail = false
/** The breach of the water that the server answers with. */
let breached: string | null = null
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i += 1) {
    await vi.advanceTimersByTimeAsync(150)
    await flushPromises()
  }
}
async function wall() {
  const scrub = useScrub()
  useClock().tell({ kind: 'real', now: new Date(NOW).toISOString(), speed: 1 } as Situation['clock'])
  useLive().situation = { gauges: [{ station: 'huayuankou', quantity: 'discharge' }] } as unknown as Situation
  useTwin().now = twin
  const view = mount(MapPanel, { global: { plugins: [i18n], stubs: { MapCanvas: Canvas } } })
  await settle()
  const to = async (ahead_h: number | null) => {
    scrub.ahead_h = ahead_h
    await settle()
  }
  const chip = () => (view.find('[data-testid=map-ahead]').exists() ? view.get('[data-testid=map-ahead]').text() : '')
  const note = () => (view.find('[data-testid=water-note]').exists() ? view.get('[data-testid=water-note]').text() : '')
  return { view, to, chip, note }
}
beforeEach(() => {
  setActivePinia(createPinia())
  setLocale('zh-CN')
  vi.useFakeTimers({ now: NOW })
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }))
  asked = []
  fail = false
  breached = null
  forget('huayuankou.discharge')
  vi.spyOn(api, 'get').mockImplementation((path) => {
    if (path.startsWith('/series/')) return Promise.resolve(series) as never
    if (path === '/map/routes') return Promise.resolve({ type: 'FeatureCollection', features: [way('route-1'), way('route-2')] }) as never
    if (path === '/map/shelters') return Promise.resolve({ type: 'FeatureCollection', features: [way('shelter-1'), way('shelter-2')] }) as never
    if (path === '/map/works') return Promise.resolve({ type: 'FeatureCollection', features: [{ ...way('work-madu'), properties: { id: 'work-madu', name_zh: '马渡险工', name_en: 'Madu' } }] }) as never
    if (!path.startsWith('/map/inundation')) return Promise.resolve({ type: 'FeatureCollection', features: [] }) as never
    asked.push(path)
    const q = Number(/scenario=(\d+)/.exec(path)?.[1] ?? 5400)
    const own = water(q, path.includes('scenario'))
    return (fail ? Promise.reject(new Error('down')) : Promise.resolve({ ...own, scenario: { ...own.scenario, breach: breached ?? own.scenario.breach } })) as never
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

it('shows the water of the hour ahead, marked as forecast with its scenario and grid, and that of now when it is back', async () => {
  const { to, chip, note } = await wall()
  expect([asked, chip(), note()]).toEqual([['/map/inundation'], '', expect.stringContaining('按当前流量')])
  await to(6)
  expect(asked.at(-1)).toBe('/map/inundation?scenario=6600')
  expect(chip().replace(/\s/g, ' ')).toBe('推演 16:00（+6.0 h） 6 600 m³/s')
  expect(note().replace(/\s/g, ' ')).toBe('预报推演 6 600 m³/s（区间 6 400–7 000，09:50 发布） · 情景库 6000 与 8000 m³/s 之间内插 · 100 m 网格 · 按此流量持续的最大水深 · 合成地形')
  await to(11)
  expect(note()).toContain('洪峰留下的积水未计')
  await to(null)
  expect([asked.at(-1), chip(), note()]).toEqual(['/map/inundation', '', expect.stringContaining('按当前流量')])
  await to(-5)
  expect([chip(), note()]).toEqual(['', expect.stringContaining('地图仍是现在的水')])
})

it('shows no water where no forecast reaches, and never that of now in its place', async () => {
  const { to, chip, view } = await wall()
  await to(13)
  expect([asked.length, chip()]).toEqual([1, '推演 23:00（+13.0 h） 没有预报到此时，不显示水'])
  expect(view.find('.legend').text()).toContain('没有预报到此时，不显示水')
  fail = true
  await to(6)
  expect(chip()).toBe('推演 16:00（+6.0 h） 此时的水暂取不到，正在重试')
  useTwin().now = { ...twin, state: 'unknown' }
  await settle()
  expect(chip()).toContain('孪生未知，不推演此时的水')
})

it('a what-if has its own water at the hours after the rise, without the mark of the forecast', async () => {
  const { to, chip } = await wall()
  await to(6)
  const preview = usePreview()
  preview.result = { id: 'prv', discharge_m3s: 22_000, inundation: { scenario: { breach: null, run: null }, routes: [] } } as unknown as Preview
  await settle()
  expect([asked.at(-1), chip()]).toEqual(['/map/inundation?scenario=22000&hour=6.00', ''])
  // The same discharge with a breach is other water.
  preview.result = { ...preview.result, inundation: { scenario: { breach: 'work-madu', run: null }, routes: [] } } as unknown as Preview
  await settle()
  expect(asked.at(-1)).toBe('/map/inundation?scenario=22000&breach=work-madu&hour=6.00')
  await to(null)
  expect(asked.at(-1)).toBe('/map/inundation?scenario=22000&breach=work-madu')
  preview.leave()
  await settle()
  expect(asked.at(-1)).toBe('/map/inundation')
})

it('colours the ways out that the water of that hour cuts', async () => {
  const { to, view } = await wall()
  const cut = () => view.getComponent(Canvas).props().layers.get('routes')?.features.filter((one) => one.properties?.flooded).map((one) => String(one.properties?.id))
  expect(cut()).toEqual([])
  await to(6)
  expect(cut()).toEqual(['route-1'])
  await to(12)
  expect(cut()).toEqual(['route-1', 'route-2'])
  await to(null)
  expect(cut()).toEqual([])
})

it('marks the shelters that the water of a what-if reaches, by that hour', async () => {
  const { view } = await wall()
  const wet = () => view.getComponent(Canvas).props().layers.get('shelters')?.features.filter((one) => one.properties?.flooded).map((one) => String(one.properties?.id))
  expect(wet()).toEqual([])
  usePreview().result = { id: 'prv', discharge_m3s: 22_000, inundation: { scenario: { breach: null, run: null }, routes: [], shelters: [{ id: 'shelter-2', arrival_min: 267 }] } } as unknown as Preview
  await settle()
  expect(wet()).toEqual(['shelter-2'])
  usePreview().leave()
  await settle()
  expect(wet()).toEqual([])
})

it('calls a breach that is reported so, by its name, now and ahead, and one of a what-if assumed', async () => {
  breached = 'work-madu'
  const { to, view } = await wall()
  const breach = () => view.get('[data-testid=breach-note]').text()
  expect(breach()).toBe('已报溃口：马渡险工')
  useTwin().now = { ...twin, breaches: [{ site: 'work-madu', name: { zh: '马渡', en: 'Madu' }, since: new Date(NOW).toISOString() }] }
  await settle()
  expect(breach()).toBe('已报溃口：马渡')
  await to(6)
  expect([asked.at(-1), breach()]).toEqual(['/map/inundation?scenario=6600&breach=work-madu', '已报溃口：马渡'])
  await to(null)
  const assumed = { id: 'prv', discharge_m3s: 22_000, inundation: { scenario: { breach: 'work-madu', run: null }, routes: [], shelters: [] } } as unknown as Preview
  useTwin().now = twin
  usePreview().result = assumed
  await settle()
  expect(breach()).toBe('推演：假定马渡险工溃口')
  usePreview().result = { ...assumed, inundation: { ...assumed.inundation!, scenario: { ...assumed.inundation!.scenario, breach_reported: true } } }
  await settle()
  expect(breach()).toBe('已报溃口：马渡险工')
})

it('never shows the id of a place that nobody has named', async () => {
  breached = 'work-x'
  const { view } = await wall()
  expect(view.get('[data-testid=breach-note]').text()).toBe('已报溃口：未命名处')
})
