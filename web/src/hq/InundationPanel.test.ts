import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { h, nextTick } from 'vue'
import { ApiError, api } from '@/api/client'
import type { Inundation, Preview, SpreadPlace, TwinRun } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { usePreview } from '@/stores/preview'
import FloodDetails from './FloodDetails.vue'
import InundationPanel from './InundationPanel.vue'
import { messages } from './messages'

addMessages(messages)
const text = (zh: string, en = zh) => ({ zh, en })
const water = (breach: string | null = null): Inundation => ({
  scenario: { discharge_m3s: 15_000, breach, highest_froude: 0.4, rests: 'exact', run: null, words: text('情景库', 'library') },
  grid: { cell_m: 100, columns: 1, rows: 1, bounds: [], synthetic: true, scheme: text('二维', '2D') },
  hours: [], rise_h: 2, base_m3s: 1000, area_km2: 97.8, residents: 0, villages: [], households: [], farmers: [], farms: [], works: [], dams: [], cells: [], posts: [], shelters: [], depots: [], routes: [], no_way_out: [], levee: [], words: [], hazard_basis: 'AIDR Guideline 7-3 Flood Hazard (2017), H1–H6',
  breach_sites: [{ id: 'work-hyk', name: text('花园口险工', 'Huayuankou') }, { id: 'work-madu', name: text('马渡险工', 'Madu') }, { id: 'work-x', name: null }],
})
const place = (id: string, kind: SpreadPlace['kind'], chance: number, change: Partial<SpreadPlace> = {}): SpreadPlace => ({ id, kind, name: text(id), chance, median_m: 1.24, ninth_m: 2, earliest_min: 75, ...change })
const job = (change: Partial<TwinRun> = {}): TwinRun => ({ id: 7, kind: 'twin-spread', discharge_m3s: 15_000, breach: null, members: 20, state: 'queued', progress: 0, cell_m: 50, asked_by: 'a', asked_at: '', why: null, ...change })

async function panel(breach: string | null = null) {
  const preview = usePreview()
  const post = vi.spyOn(api, 'post').mockImplementation((_, body) => Promise.resolve({ id: 'prv', discharge_m3s: (body as { discharge_m3s: number }).discharge_m3s, inundation: water((body as { breach?: string }).breach), inundation_reason: null } as Preview) as never)
  preview.breach = breach
  await preview.run(15_000)
  const view = mount(() => [h(InundationPanel), preview.result?.inundation ? h(FloodDetails, { water: preview.result.inundation }) : null], { global: { plugins: [i18n] } })
  const has = (id: string) => view.find(`[data-testid=${id}]`).exists()
  const get = (id: string) => view.get(`[data-testid=${id}]`)
  async function spread(change: Partial<TwinRun>): Promise<void> {
    preview.spread.job = job(change)
    await nextTick()
  }
  return { view, preview, post, has, get, spread }
}
beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }))
  setActivePinia(createPinia())
  setLocale('zh-CN')
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  setLocale('zh-CN')
})

it('offers the sites of the server, none first, and asks anew with the one that is chosen', async () => {
  const { get, has, post, preview } = await panel()
  expect(get('breach-select').findAll('option').map((one) => one.text())).toEqual(['不假定溃口', '花园口险工', '马渡险工', 'work-x'])
  expect(has('breach-shown')).toBe(false)
  await get('breach-select').setValue('work-madu')
  expect(post.mock.lastCall).toEqual(['/preview', { discharge_m3s: 15_000, breach: 'work-madu' }])
  await vi.waitFor(() => expect(has('breach-shown')).toBe(true))
  expect(get('breach-shown').text()).toBe('推演：假定马渡险工溃口 指令按流量推演，溃口须另行报险')
  await get('breach-select').setValue('')
  expect([preview.breach, post.mock.lastCall?.[1]]).toEqual([null, { discharge_m3s: 15_000 }])
})

it('calls no levee overtopped because a work goes under, and says where the equations do not hold', async () => {
  const { get, preview } = await panel()
  const row = (name: string, is_levee: boolean, freeboard_m: number) => ({ place: name, name: text(name), is_levee, toe_depth_m: 1, toe_arrival_min: 60, freeboard_m, overtops: freeboard_m < 0, crest_m: 95 })
  const show = async (levee: ReturnType<typeof row>[], highest_froude: number): Promise<string> => {
    const shown = preview.result as Preview
    preview.result = { ...shown, inundation: { ...water(), levee, scenario: { ...water().scenario, highest_froude } } }
    await nextTick()
    return get('inundation').text() + get('flood-details').text()
  }
  expect(await show([row('11号堤段', true, 1.2)], 0.5)).toContain('最小超高 1.20 m（11号堤段）')
  const under = await show([row('东大坝', false, -0.62), row('11号堤段', true, 1.8)], 1.4)
  expect([under.includes('东大坝漫顶 0.62 m'), under.includes('漫堤'), under.includes('Fr 1.4')]).toEqual([true, false, true])
  const over = await show([row('东大坝', false, -0.9), row('11号堤段', true, -0.1)], 0.5)
  expect([over.includes('漫堤：11号堤段'), over.includes('Fr')]).toEqual([true, false])
})

it('names the breach of the water that is shown, not the choice that has no answer yet', async () => {
  const { get, preview, post } = await panel('work-hyk')
  post.mockReturnValueOnce(new Promise(() => undefined) as never)
  await get('breach-select').setValue('work-madu')
  expect([preview.breach, get('breach-shown').text()]).toEqual(['work-madu', expect.stringContaining('花园口险工')])
  expect(get('inundation').attributes('aria-busy')).toBe('true')
})

it('a breach without water says why and can be taken back', async () => {
  const { get, has, preview } = await panel('work-madu')
  preview.result = { ...(preview.result as Preview), inundation: null, inundation_reason: text('情景库没有该情景') }
  await nextTick()
  expect(get('inundation').text()).toContain('情景库没有该情景')
  expect(has('spread')).toBe(false)
  preview.breach = null
  await nextTick()
  expect(has('inundation')).toBe(false)
})

it('an old server without sites has no choice', async () => {
  const { has, preview } = await panel()
  preview.sites = []
  await nextTick()
  expect(has('breach-select')).toBe(false)
})

it('a spread is asked for, tells how far it is, and can be taken back', async () => {
  const { get, has, post, spread, preview } = await panel('work-madu')
  post.mockResolvedValueOnce(job())
  await get('spread').trigger('click')
  expect(post.mock.lastCall).toEqual(['/twin/runs', { discharge_m3s: 15_000, breach: 'work-madu', members: 20 }])
  await spread({ state: 'running', progress: 0.449 })
  expect([has('spread'), get('flood-details').text()]).toEqual([false, expect.stringContaining('不确定性推演 44%（50 m 网格）')])
  const remove = vi.spyOn(api, 'delete').mockResolvedValueOnce(job({ state: 'cancelled', why: 'a 取消 (cancelled by a)' }))
  await get('cancel-job').trigger('click')
  await vi.waitFor(() => expect(get('flood-details').text()).toContain('不确定性推演已取消：a 取消'))
  expect(remove).toHaveBeenCalledWith('/twin/runs/7')
  expect(has('spread')).toBe(true)
  preview.leave()
})

it('a failed or refused spread says why and can be asked for again', async () => {
  const { get, has, post, spread } = await panel()
  await spread({ state: 'failed', why: '地形已更换 (the terrain has changed)' })
  expect(get('flood-details').text()).toMatch(/不确定性推演没有完成：地形已更换(?! \()/)
  post.mockRejectedValueOnce(new ApiError({ type: '', title: '', status: 429, detail: '加密演算已排满 (the finer runs are full)' }))
  await get('spread').trigger('click')
  await vi.waitFor(() => expect(get('flood-details').get('[role=alert]').text()).toBe('加密演算已排满'))
  expect(has('spread')).toBe(true)
})

it('a spread shows villages first, eight rows, the rest folded, and the words of the server', async () => {
  const { view, get, has, spread } = await panel()
  const cells = Array.from({ length: 9 }, (_, i) => place(`cell-${i}`, 'grid', 1))
  const places = [...cells, place('马渡村', 'village', 0.35, { median_m: 0, ninth_m: 0.62, earliest_min: null })]
  const members = Array.from({ length: 20 }, () => ({ discharge_m3s: 15_000, roughness: 1 }))
  await spread({ state: 'done', spread: { discharge_m3s: 15_000, breach: 'work-madu', hours: 72, members, volume_error: 0, places, words: text('比例不是预报概率', 'shares are no forecast probability') } })
  const rows = () => view.findAll('[data-testid=spread-place]').map((row) => row.findAll('th, td').map((cell) => cell.text()))
  expect(rows()).toHaveLength(8)
  expect(rows().slice(0, 2)).toEqual([['马渡村', '7/20 · 35%', '不进水', '0.6 m', '—'], ['cell-0', '20/20 · 100%', '1.2 m', '2.0 m', '75 分']])
  expect(get('spread-words').text()).toBe('比例不是预报概率')
  expect(get('spread-result').get('caption').text()).toMatch(/^不确定性推演 · 15\s?000 m³\/s · 推演：假定马渡险工溃口$/)
  await get('spread-more').trigger('click')
  expect([rows().length, get('spread-more').attributes('aria-expanded'), has('spread')]).toEqual([10, 'true', false])
  setLocale('en')
  await nextTick()
  expect(rows()[0]).toEqual(['马渡村', '7/20 · 35%', 'dry', '0.6 m', '—'])
  expect(get('spread-words').text()).toBe('shares are no forecast probability')
})

it('a spread without water at any place says so', async () => {
  const { get, spread } = await panel()
  await spread({ state: 'done', spread: { discharge_m3s: 1, breach: null, hours: 72, members: [{ discharge_m3s: 1, roughness: 1 }], volume_error: 0, places: [], words: text('') } })
  expect(get('spread-result').text()).toContain('1 个成员都没有来水的地点')
})

it('speaks English alike', async () => {
  setLocale('en')
  const { get } = await panel('work-madu')
  expect(get('breach-shown').text()).toBe('Assumed: the levee breaches at Madu Orders follow the discharge; a breach has to be reported on its own')
  expect([get('refine').text(), get('spread').text()]).toEqual(['Compute finer', 'Spread of 20 runs'])
  expect(get('inundation').text() + get('flood-details').text()).not.toMatch(/hq\.water/)
})

it('says in red that more is asked than the library knows, and calls no village dry then', async () => {
  const { get, has, preview } = await panel()
  expect(has('flood-beyond')).toBe(false)
  preview.result = { ...(preview.result as Preview), discharge_m3s: 30_000, inundation: { ...water(), scenario: { ...water().scenario, discharge_m3s: 26_000, rests: 'above' } } }
  await nextTick()
  expect(get('flood-beyond').text().replace(/\s/g, ' ')).toBe('情景库只到 26 000 m³/s，30 000 m³/s 的淹没未知，以下为下限')
  expect(get('flood-beyond').classes()).toContain('bad')
  expect([get('inundation').text().includes('没有村庄进水'), get('inundation').text().includes('村庄是否进水未知')]).toEqual([false, true])
})

it('tells both counts where a finer run and the library disagree, and to prepare for the graver', async () => {
  const { get, has, preview } = await panel()
  const at = (id: string) => ({ id }) as unknown as Inundation['villages'][number]
  const line = (id: string, is_levee: boolean) => ({ place: id, name: text(id), is_levee, overtops: true, freeboard_m: -0.1, toe_depth_m: 1, toe_arrival_min: 60, crest_m: 95 })
  const show = async (library: Partial<Inundation>, finer: Partial<Inundation>): Promise<void> => {
    preview.library = { ...water(), ...library }
    preview.result = { ...(preview.result as Preview), inundation: { ...water(), grid: { ...water().grid, cell_m: 50 }, ...finer, scenario: { ...water().scenario, rests: 'run', run: 7 } } }
    await nextTick()
  }
  await show({ villages: [at('a')], levee: [line('work', false)] }, { villages: [at('a')] })
  expect(has('flood-disagree')).toBe(false)
  await show({ villages: [at('a')], residents: 655, shelters: [] }, { villages: [at('a'), at('b')], residents: 1083, shelters: [at('s')], levee: [line('seg', true)] })
  expect(get('flood-disagree').text().replace(/\s/g, ' ')).toBe('情景库 100 m → 加密 50 m：村 1 → 2 个、655 → 1 083 人、安置点 0 → 1 处、漫堤 0 → 1 段。两者不一致，按较重者准备')
  await show({ villages: [at('a')] }, { villages: [at('b')] })
  expect(get('flood-disagree').text()).toContain('村 1 → 1 个（数同地点不同）')
  setLocale('en')
  await nextTick()
  expect(get('flood-disagree').text()).toBe('Library 100 m → finer 50 m: villages 1 → 1 (not the same ones). They disagree: prepare for the graver')
})

it('shows the breach that is reported as the choice, and that the what-if starts from it', async () => {
  const { get, preview, post } = await panel()
  const own = water('work-madu')
  post.mockResolvedValueOnce({ id: 'prv', discharge_m3s: 15_000, inundation: { ...own, scenario: { ...own.scenario, breach_reported: true } }, inundation_reason: null })
  await preview.run(15_000)
  await nextTick()
  expect((get('breach-select').element as HTMLSelectElement).value).toBe('work-madu')
  expect(get('breach-shown').text()).toBe('已报溃口：马渡险工 已报溃口，推演从它出发')
})
