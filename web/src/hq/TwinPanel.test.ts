import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import type { EvacuationView, Situation, TwinNow } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { useClock } from '@/stores/clock'
import { usePeople } from '@/stores/people'
import { usePreview } from '@/stores/preview'
import { useTwin } from '@/stores/twin'
import { messages } from './messages'
import TwinPanel from './TwinPanel.vue'

addMessages(messages)
const NOW = Date.parse('2026-07-16T10:00:00+08:00')
const text = (zh: string, en: string) => ({ zh, en })
const coming = (h: number) => ({ threshold_m3s: 1, by_breach: false, crossed_at: null, lag_min: 0, at: new Date(NOW + h * 3_600_000).toISOString(), in_min: h * 60, is_there: h <= 0, depth_m: 1.2 })
const place = (id: string, kind: string, zh: string, en: string, h: number): TwinNow['places'][number] => ({ ...coming(h), id, kind, name: text(zh, en), depth_now_m: null })
const way = (id: string, leaves: string, h: number, is_last = true): TwinNow['ways'][number] => ({ ...coming(h), id, leaves, is_last })
const PLACES = [
  place('farm-1', 'farm', '一号地', 'Field 1', 0.5), place('dam-1', 'dam', '1坝', 'Dam 1', 0.6), place('shelter-1', 'shelter', '第一安置点', 'Shelter 1', 1), place('depot-1', 'depot', '花园口料场', 'Huayuankou depot', 1.5),
  place('hq', 'hq', '区防指', 'Headquarters', 2), place('cell-1', 'cell', '1网格', 'Cell 1', 2.5), place('cell-2', 'cell', '2网格', 'Cell 2', 2.6), place('village-a', 'village', '八堡村', 'Babao', 3), place('farm-2', 'farm', '二号地', 'Field 2', 4),
]

async function panel(change: Partial<TwinNow> = {}) {
  useClock().tell({ kind: 'real', now: new Date(NOW).toISOString(), speed: 0 } as Situation['clock'])
  usePeople().evacuation = { attention: [], farmers: [], villages: [{ id: 'village-b', name: text('申庄村', 'Shenzhuang') }], basis: text('', '') } as unknown as EvacuationView
  useTwin().now = { state: 'live', words: text('', ''), at: '', made_at: null, age_s: 5, discharge: null, forecast: null, peak: null, gauge: null, grid: null, basis: null, places: [...PLACES].reverse(), breaches: [], ways: [], tasks: [], ...change }
  const view = mount(TwinPanel, { global: { plugins: [i18n] } })
  await nextTick()
  const get = (id: string) => view.get(`[data-testid=${id}]`)
  const has = (id: string) => view.find(`[data-testid=${id}]`).exists()
  return { view, get, has, order: () => view.findAll('[data-testid]').map((one) => one.attributes('data-testid')).slice(1) }
}
beforeEach(() => {
  setActivePinia(createPinia())
  setLocale('zh-CN')
})
afterEach(() => setLocale('zh-CN'))

it('begins with the places that come first, of all kinds where people are, then villages, and counts the rest by kind', async () => {
  const { view, get } = await panel()
  expect(view.findAll('[data-testid=twin-place]').map((one) => one.text())).toEqual([
    '第一安置点 11:00 到水（还有 1:00:00） 1.2 m', '花园口料场 11:30 到水（还有 1:30:00） 1.2 m', '区防指 12:00 到水（还有 2:00:00） 1.2 m', '八堡村 13:00 到水（还有 3:00:00） 1.2 m',
  ])
  expect(get('twin-others').text()).toBe('其余进水或将进水：地块 2、坝垛 1、网格 2')
})

it('says in red which shelters get water and when', async () => {
  const { get, has } = await panel()
  expect([get('twin-shelters').text(), get('twin-shelters').classes()]).toEqual(['▲ 安置点进水或将进水 1 处：第一安置点 11:00（还有 1:00:00）', expect.arrayContaining(['bad'])])
  expect(has('twin-ways')).toBe(false)
  const dry = await panel({ places: [] })
  expect([dry.has('twin-shelters'), dry.view.text().includes('没有村庄进水')]).toEqual([false, true])
  const beyond = await panel({ places: [], grid: { cell_m: 100, synthetic: true, highest_m3s: 26_000, beyond: true } })
  expect([beyond.view.text().includes('没有村庄进水'), beyond.view.text().includes('村庄是否进水未知')]).toEqual([false, true])
})

it('names the last ways out with their hour, once a village, before the villages when they are cut before', async () => {
  const ways = [way('route-3', 'village-b', 2), way('route-1', 'village-a', 0), way('route-2', 'village-a', -1, false), way('route-4', 'village-b', 2)]
  const { get, order } = await panel({ ways })
  expect(get('twin-ways').text()).toBe('最后出路断 2 条：八堡村 已断、申庄村 12:00（还有 2:00:00）')
  expect(order().indexOf('twin-ways')).toBeLessThan(order().indexOf('twin-place'))
  const later = await panel({ ways: [way('route-3', 'village-x', 5)] })
  expect(later.get('twin-ways').text()).toBe('最后出路断 1 条：某村 15:00（还有 5:00:00）')
  expect(later.order().indexOf('twin-ways')).toBeGreaterThan(later.order().lastIndexOf('twin-place'))
})

it('has a reported breach on top, with its place and its time', async () => {
  const { view, order } = await panel({ breaches: [{ site: 'work-madu', name: text('马渡险工', 'Madu'), since: new Date(NOW - 1_800_000).toISOString() }, { site: null, name: null, since: new Date(NOW).toISOString() }] })
  expect(view.findAll('[data-testid=twin-breach]').map((one) => one.text())).toEqual(['▲ 已报溃口：马渡险工，09:30', '▲ 已报溃口，10:00，位置不明，未计入淹没'])
  expect(order()[0]).toBe('twin-breach')
})

it('speaks English throughout, and makes room for a what-if', async () => {
  setLocale('en')
  const { view, has } = await panel({ ways: [way('route-3', 'village-b', 2)], breaches: [{ site: 'x', name: null, since: new Date(NOW).toISOString() }] })
  expect(view.text()).not.toMatch(/hq\.|[\u4e00-\u9fff]/)
  usePreview().result = { id: 'prv' } as never
  await nextTick()
  expect(has('twin-now')).toBe(false)
})
