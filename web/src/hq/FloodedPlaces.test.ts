import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { h, nextTick } from 'vue'
import { api } from '@/api/client'
import type { EvacuationView, Flooded, Inundation, Preview } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { usePeople } from '@/stores/people'
import { usePreview } from '@/stores/preview'
import FloodDetails from './FloodDetails.vue'
import InundationPanel from './InundationPanel.vue'
import { messages } from './messages'

addMessages(messages)
const text = (zh: string, en: string) => ({ zh, en })
const H4 = { class: 'H4' as const, words: text('人车不可行', 'unsafe for people and vehicles') }
const H6 = { class: 'H6' as const, words: text('房屋可能倒塌', 'buildings may fail') }
const place = (id: string, zh: string, en: string, arrival_min: number | null, depth_m: number, change: Partial<Flooded> = {}): Flooded => ({ id, name: text(zh, en), arrival_min, depth_m, speed_ms: 0.66, hazard: H4, people: null, wet_share: 1, of: null, ...change })
const dam = (n: number): Flooded => place(`dam-huayuankou-${n}`, `花园口${n}坝`, `Huayuankou Dam ${n}`, n % 2 ? 0 : 40, n / 20, { hazard: H6, of: 'work-huayuankou' })
/** As `POST /api/v1/preview {"discharge_m3s": 22000, "breach": "work-huayuankou"}` answers for the demo reach, shortened. */
const water = (change: Partial<Inundation> = {}): Inundation => ({
  scenario: { discharge_m3s: 22_000, breach: 'work-huayuankou', highest_froude: 0.5, rests: 'exact', run: null, words: text('情景库 22000 m³/s', 'library scenario 22000 m³/s') },
  grid: { cell_m: 100, columns: 165, rows: 111, bounds: [], synthetic: true, scheme: text('局部惯性二维', 'local inertia, two-dimensional') },
  hours: [], rise_h: 2, base_m3s: 3000, area_km2: 157.1, residents: 2180, hazard_basis: 'AIDR Guideline 7-3 Flood Hazard (2017), H1–H6', words: [], breach_sites: [],
  villages: [place('village-babao', '八堡村', 'Babao Village', 101, 2.72, { people: 428 }), place('village-huayuankou', '花园口村', 'Huayuankou Village', 74, 3.04, { people: 655 })],
  households: [{ class: 'bedridden', all: 5, wet: 5, people: 10, arrival_min: 122, depth_m: 1.29, hazard: H4, ids: ['care-058'] }, { class: 'infant', all: 4, wet: 0, people: 0, arrival_min: null, depth_m: 0, hazard: null, ids: [] }],
  farmers: [{ class: 'aquaculture', all: 31, wet: 31, people: 70, arrival_min: 54, depth_m: 3.34, hazard: H6, ids: ['grower-095'] }],
  farms: [], works: [], dams: Array.from({ length: 85 }, (_, i) => dam(i + 1)), cells: [place('cell-04', '八堡村4网格', 'Babao Village cell 4', 212, 2.07)], posts: [],
  shelters: [place('shelter-1', '第一安置点（学校）', 'Shelter 1 (school)', 291, 1.85), place('shelter-2', '第二安置点（体育馆）', 'Shelter 2 (sports hall)', 267, 2.22)], depots: [place('depot-1', '花园口料场', 'Huayuankou depot', 205, 2.68, { hazard: H6 })],
  routes: [
    { id: 'route-3', name: text('申庄村→第三安置点', 'Shenzhuang Village → Shelter 3'), village: 'village-shenzhuang', shelter: 'shelter-3', rank: 1, cut_at_h: null },
    { id: 'route-2', name: text('八堡村→第二安置点', 'Babao Village → Shelter 2'), village: 'village-babao', shelter: 'shelter-2', rank: 1, cut_at_h: 2.5 },
    { id: 'route-1', name: text('花园口村→第一安置点', 'Huayuankou Village → Shelter 1'), village: 'village-huayuankou', shelter: 'shelter-1', rank: 1, cut_at_h: 1.25 },
  ],
  no_way_out: [{ village: 'village-huayuankou', cut_at_h: 1.25, instead: null, last_h: 1.25, words: text('须在此前撤完', 'all must have left') }, { village: 'village-babao', cut_at_h: 2.5, instead: 'route-3', last_h: null, words: text('改走', 'take') }],
  levee: [
    { place: 'work-dongdaba', name: text('东大坝下延控导工程', 'Dongdaba works'), is_levee: false, toe_depth_m: 3.43, toe_arrival_min: 178, freeboard_m: -0.62, overtops: true, crest_m: 91.78 },
    { place: 'seg-11', name: text('11号堤段', 'Levee segment 11'), is_levee: true, toe_depth_m: 2.1, toe_arrival_min: 200, freeboard_m: 1.8, overtops: false, crest_m: 96 },
    { place: 'seg-12', name: text('12号堤段', 'Levee segment 12'), is_levee: true, toe_depth_m: 0, toe_arrival_min: null, freeboard_m: 3, overtops: false, crest_m: 96 },
  ],
  ...change,
})

async function wall(own = water(), low = false) {
  vi.stubGlobal('matchMedia', () => ({ matches: low, addEventListener: () => undefined, removeEventListener: () => undefined }))
  vi.spyOn(api, 'post').mockResolvedValue({ id: 'prv', discharge_m3s: 22_000, inundation: own, inundation_reason: null } as unknown as Preview)
  const preview = usePreview()
  await preview.run(22_000)
  usePeople().evacuation = { attention: [{ category: 'bedridden', category_name: text('卧床', 'Bedridden') }], farmers: [{ class: 'aquaculture', name: text('水产养殖', 'Fish ponds') }], villages: [], basis: text('', '') } as unknown as EvacuationView
  let kind: string | undefined
  const view = mount(() => [h(InundationPanel, { onLook: (at: string) => (kind = at) }), h(FloodDetails, { water: own })], { global: { plugins: [i18n] } })
  const rows = () => view.findAll('[data-testid=flooded-row]').map((row) => row.findAll('th, td').map((cell) => cell.text()))
  const choose = (of: string) => view.get(`[data-testid=flooded-kind][data-kind=${of}]`).trigger('click')
  return { view, rows, choose, looked: () => kind }
}
beforeEach(() => {
  setActivePinia(createPinia())
  setLocale('zh-CN')
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  setLocale('zh-CN')
})

it('lists villages first, the earliest on top, with depth, hazard and people', async () => {
  const { rows, view } = await wall()
  expect(rows()).toEqual([['花园口村', '74 分', '3.0 m', 'H4', '655'], ['八堡村', '1.7 小时', '2.7 m', 'H4', '428']])
  expect(view.findAll('thead th').map((head) => head.text())).toEqual(['地点', '最早', '最深', '危险', '人'])
  expect(view.get('[data-testid=flooded-row] td:nth-of-type(3)').attributes('title')).toBe('人车不可行')
})

it('tells of every kind how many get water, also that none does', async () => {
  const { view, choose } = await wall()
  expect(view.findAll('[data-testid=flooded-kind]').map((one) => one.text())).toEqual(['村 2', '重点户 5/9', '▲安置点 2', '▲撤离路断 2/3', '种植户 31/31', '地块 0', '料场 1', '守险点 0', '坝垛 85', '堤段 2/3', '网格 1'])
  await choose('post')
  expect(view.get('[data-testid=flooded]').text()).toContain('这类地点都不进水')
})

it('shelters that get water and ways that are cut stand out, and lead to their rows', async () => {
  const { view, rows, choose, looked } = await wall()
  const alarms = view.findAll('[data-testid=flood-alarm]')
  expect(alarms.map((one) => one.text())).toEqual(['▲ 安置点进水 2 处：第一安置点（学校）、第二安置点（体育馆）', '▲ 撤离路断 2/3 条，最早在起涨后 75 分'])
  await alarms[0]!.trigger('click')
  expect(looked()).toBe('shelter')
  await choose('shelter')
  expect(rows()[0]).toEqual(['▲ 第二安置点（体育馆）', '4.5 小时', '2.2 m', 'H4'])
  await choose('route')
  expect(rows()).toEqual([['▲ 花园口村→第一安置点', '75 分', '没有出路'], ['▲ 八堡村→第二安置点', '2.5 小时', '申庄村→第三安置点'], ['申庄村→第三安置点', '畅通', '']])
  expect(view.findAll('[data-testid=flooded-row].bad')).toHaveLength(2)
  const dry = await wall(water({ shelters: [], routes: [] }))
  expect(dry.view.findAll('[data-testid=flood-alarm]')).toHaveLength(0)
})

it('lays out the first 50 dams, those that stand in the river by depth, and the others when asked', async () => {
  const { view, rows, choose } = await wall()
  await choose('dam')
  expect([rows().length, rows()[0], rows()[1]]).toEqual([50, ['花园口85坝', '已在水中', '4.3 m', 'H6'], ['花园口83坝', '已在水中', '4.2 m', 'H6']])
  expect(view.get('[data-testid=flooded-more]').text()).toBe('另有 35 处，再列')
  await view.get('[data-testid=flooded-more]').trigger('click')
  expect([rows().length, view.find('[data-testid=flooded-more]').exists()]).toEqual([85, false])
  await choose('cell')
  await choose('dam')
  expect(rows()).toHaveLength(50)
})

it('homes and growers by class, the levee by freeboard', async () => {
  const { rows, choose } = await wall()
  await choose('household')
  expect(rows()).toEqual([['卧床', '5/5', '2.0 小时', '1.3 m', 'H4', '10']])
  await choose('grower')
  expect(rows()).toEqual([['水产养殖', '31/31', '54 分', '3.3 m', 'H6', '70']])
  await choose('levee')
  expect(rows()).toEqual([['▲ 东大坝下延控导工程', '3.0 小时', '3.4 m', '漫 0.62 m'], ['11号堤段', '3.3 小时', '2.1 m', '1.80 m']])
})

it('on a low wall the kinds are one list to choose from', async () => {
  const { view, rows } = await wall(water(), true)
  expect(view.find('[data-testid=flooded-kind]').exists()).toBe(false)
  const choice = view.get('[data-testid=flooded-choice]')
  expect(choice.findAll('option').map((one) => one.text()).slice(1, 4)).toEqual(['重点户 5/9', '▲ 安置点 2', '▲ 撤离路断 2/3'])
  await choice.setValue('depot')
  expect(rows()).toEqual([['花园口料场', '3.4 小时', '2.7 m', 'H6']])
})

it('speaks English throughout', async () => {
  setLocale('en')
  const { view, rows, choose } = await wall()
  await choose('route')
  expect(rows()[0]).toEqual(['▲ Huayuankou Village → Shelter 1', '75 min', 'no way out'])
  for (const kind of ['household', 'levee', 'dam', 'post']) {
    await choose(kind)
    await nextTick()
    expect(view.text()).not.toMatch(/hq\.|[\u4e00-\u9fff]/)
  }
})

it('above the library calls nothing dry: what it does not count is not known', async () => {
  const above = { ...water().scenario, discharge_m3s: 26_000, rests: 'above' as const }
  const { view, rows, choose } = await wall(water({ scenario: above, villages: [], households: [] }))
  expect(view.findAll('[data-testid=flooded-kind]').map((one) => one.text())).toEqual(['村 ?', '重点户 0/0', '▲安置点 ≥2', '▲撤离路断 ≥2/3', '种植户 31/31', '地块 ?', '料场 ≥1', '守险点 ?', '坝垛 ≥85', '堤段 ≥2/3', '网格 ≥1'])
  await choose('post')
  expect(view.get('[data-testid=flooded]').text().replace(/\s/g, ' ')).toContain('情景库只到 26 000 m³/s，更大流量未知')
  expect(view.get('[data-testid=flooded]').text()).not.toContain('不进水')
  await choose('route')
  expect(rows()[2]).toEqual(['申庄村→第三安置点', '未知', ''])
})

it('says where cells lie, and counts them and wet shelters beside the villages', async () => {
  const { view, choose } = await wall()
  expect(view.get('[data-testid=inundation] .line').text()).toMatch(/2 个村 2\s180 人.*另有 1 个网格进水，居民未计.*安置点 2 处进水/)
  expect(view.get('[data-testid=flooded]').text()).not.toContain('背河')
  await choose('cell')
  expect(view.get('[data-testid=flooded]').text()).toContain('网格在堤防背河一侧；村在滩区')
  const dry = await wall(water({ cells: [], shelters: [] }))
  expect(dry.view.get('[data-testid=inundation] .line').text()).not.toMatch(/网格|安置点/)
})
