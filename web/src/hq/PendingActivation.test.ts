import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import type { Activation, Level, Me, Situation } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'
import { messages } from './messages'
import PendingActivation from './PendingActivation.vue'

addMessages(messages)
const NOW = '2026-07-01T08:00:00+08:00'
const request = (level: Level, change: Partial<Activation> = {}): Activation => ({
  id: 'act-1', level, reason: '水落', ordered_by: null, prepare_for_m3s: null, state: 'asked', asked_by: '张某', asked_at: NOW, commanders_called: false, deputies_may_confirm: false,
  break_glass_offered: false, break_glass: false, expires_at: '2026-07-01T08:05:00+08:00', settled_by: null, settled_at: null, settled_reason: null, instructions: 3, tasks: 12, people: 9, ended: 987, ...change,
})
const situation = (in_force: Level, activation: Activation | null, more: Partial<Situation['level']> = {}): Situation => ({ level: { in_force, proposed: in_force, prepare_for_m3s: null, ...more }, clock: { kind: 'real', now: NOW, speed: 1 }, activation, journal: { last: 1 } }) as Situation

async function bar(from: Level, asked: Activation, more: Partial<Situation['level']> = {}) {
  const live = useLive()
  useSession().me = { name: '王某', role: 'commander', member_id: null, demo: false, may: ['confirm'] } as Me
  live.apply([{ event: 'situation', data: situation(from, asked, more) }])
  const view = mount(PendingActivation, { global: { plugins: [i18n] } })
  await nextTick()
  const settle = async (change: Partial<Activation>): Promise<void> => {
    // As the stream sends it: the level is changed in the same batch.
    const settled = request(asked.level, { ...asked, settled_by: '王某', settled_at: NOW, ...change })
    live.apply([{ event: 'activation', data: settled }, { event: 'situation', data: situation(change.state === 'confirmed' ? asked.level : from, null) }])
    await nextTick()
  }
  return { view, settle, title: () => view.get('.title').text(), numbers: () => view.get('[data-testid=pending-counts]').text(), button: () => view.get('[data-testid=second-confirm]').text() }
}

describe('what the second officer reads', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    setLocale('zh-CN')
  })

  it('a lowering says so, how much it takes back and what it prepares for', async () => {
    const { title, numbers, button, settle } = await bar('red', request('blue', { prepare_for_m3s: 4500 }))
    expect([title(), button()]).toEqual(['降为 Ⅳ 级响应：待二次确认', '确认降级'])
    expect(numbers()).toMatch(/^收回 987 项 · 新下发 12 项 · 人员 9 · 按 4\s?500 m³\/s 准备$/)
    await settle({ state: 'confirmed' })
    expect(title()).toBe('已降级为 Ⅳ 级响应：王某 已确认')
  })

  it('an end of the response says so, refused ones too, and an unknown number is not 0', async () => {
    const { title, numbers, button, settle } = await bar('blue', request('none', { ended: undefined }))
    expect([title(), button(), numbers()]).toEqual(['解除响应：待二次确认', '确认解除', '收回项数未知 · 新下发 12 项 · 人员 9'])
    await settle({ state: 'refused' })
    expect(title()).toBe('解除响应：王某 拒绝')
  })

  it('a raising is an activation as before', async () => {
    const { title, numbers, button, settle } = await bar('blue', request('red', { ended: 0, prepare_for_m3s: 22_000 }))
    expect([title(), button()]).toEqual(['红色预警：待二次确认', '确认启动'])
    expect(numbers()).toMatch(/^指令 3 · 任务 12 · 人员 9 · 按 22\s?000 m³\/s 准备$/)
    await settle({ state: 'confirmed' })
    expect(title()).toBe('红色预警：王某 已确认，任务已下发')
  })

  it('the same level for less water takes orders back and is nothing issued anew', async () => {
    const { view, title, numbers, button, settle } = await bar('orange', request('orange', { ended: 330, prepare_for_m3s: 8000 }), { prepare_for_m3s: 12_000 })
    expect(button()).toBe('确认调整')
    expect(numbers()).toMatch(/^指令 3 · 任务 12 · 人员 9 · 收回 330 项 · 准备流量 12\s?000 → 8\s?000 m³\/s$/)
    await settle({ state: 'confirmed' })
    expect(title()).toBe('橙色预警：王某 已确认，任务已按新流量调整')
    expect(view.text()).not.toContain('理由')
  })

  it('the same level for more water is issued anew, whatever its stronger orders replace', async () => {
    const { title, settle } = await bar('orange', request('orange', { ended: 12, prepare_for_m3s: 12_000 }), { prepare_for_m3s: 8_000 })
    await settle({ state: 'confirmed' })
    expect(title()).toBe('橙色预警：王某 已确认，任务已重新发布')
  })

  it('a lowering below what the river asks for says so, and a form begun before it was settled is gone', async () => {
    const { view, settle } = await bar('orange', request('none', { deputies_may_confirm: true, break_glass_offered: true }), { proposed: 'blue' })
    expect(view.get('[data-testid=pending-above]').text()).toBe('水情仍达蓝色预警')
    expect(view.find('[data-testid=break-glass]').exists()).toBe(false)
    await view.get('[data-testid=refuse-button]').trigger('click')
    expect(view.find('form.why').exists()).toBe(true)
    await settle({ state: 'confirmed' })
    expect(view.find('form.why').exists()).toBe(false)
    expect((await bar('blue', request('none'), { proposed: 'none' })).view.find('[data-testid=pending-above]').exists()).toBe(false)
  })

  it('says why somebody went alone, and why a request was refused', async () => {
    const alone = await bar('none', request('red', { ended: 0 }))
    await alone.settle({ state: 'confirmed', break_glass: true, settled_reason: '第二人失联' })
    expect(alone.title()).toContain('单人破窗启动')
    expect(alone.view.text()).toContain('破窗理由：第二人失联')
    const refused = await bar('none', request('blue', { id: 'other', ended: 0 }))
    await refused.settle({ id: 'other', state: 'refused', settled_reason: '水在退' })
    expect(refused.view.text()).toContain('退回理由：水在退')
  })

  it('speaks English alike', async () => {
    setLocale('en')
    const { title, button, settle } = await bar('red', request('none'))
    expect([title(), button()]).toEqual(['End the response: waiting for a second person', 'Confirm ending'])
    await settle({ state: 'confirmed' })
    expect(title()).toBe('Response ended: confirmed by 王某')
  })
})
