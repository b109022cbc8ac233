import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { api } from '@/api/client'
import type { Me, Preview, Situation } from '@/api/types'
import { addMessages, i18n, setLocale } from '@/i18n'
import { useLive } from '@/stores/live'
import { usePreview } from '@/stores/preview'
import { useSession } from '@/stores/session'
import DischargePanel from './DischargePanel.vue'
import { messages } from './messages'

addMessages(messages)
const flow = (value: number): Situation => ({
  gauges: [{ series: 'huayuankou.discharge', station: 'huayuankou', quantity: 'discharge', value, name: { zh: '花园口', en: 'Huayuankou' } }],
  breakpoints: [], level: { in_force: 'blue', derived: 'blue' }, tasks: {}, activation: null,
} as unknown as Situation)

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }))
  setActivePinia(createPinia())
  setLocale('zh-CN')
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  document.body.innerHTML = ''
})

it('follows the river, but never changes under the hand of somebody who has begun', async () => {
  const [live, preview] = [useLive(), usePreview()]
  useSession().opened({ name: 'duty', role: 'duty', may: ['preview'] } as unknown as Me)
  live.situation = flow(5413)
  const view = mount(DischargePanel, { attachTo: document.body, global: { plugins: [i18n] } })
  const field = view.get<HTMLInputElement>('[data-testid=discharge-input]').element
  const digits = (): string => field.value.replace(/\D/g, '')
  expect(digits()).toBe('5413')
  live.situation = flow(5420)
  await nextTick()
  expect(digits()).toBe('5420')

  // All is selected, so the next key replaces it: a reading that comes now must not put the caret behind a new number.
  field.focus()
  const chosen = field.value
  live.situation = flow(5431)
  await nextTick()
  expect([field.value, field.selectionStart, field.selectionEnd]).toEqual([chosen, 0, chosen.length])
  // Who goes away without a word has changed nothing.
  field.blur()
  await nextTick()
  expect(digits()).toBe('5431')

  const post = vi.spyOn(api, 'post').mockResolvedValue({ id: 'prv', discharge_m3s: 22_000, level: 'red', inundation: null, counts: {} } as unknown as Preview)
  field.focus()
  await view.get('[data-testid=discharge-input]').setValue('22000')
  live.situation = flow(5440)
  await nextTick()
  expect(field.value).toBe('22000')
  await view.get('form').trigger('submit')
  expect(post.mock.lastCall).toEqual(['/preview', { discharge_m3s: 22_000 }])

  // Left by Esc, the hand still on the field: the river again.
  preview.leave()
  await nextTick()
  expect(digits()).toBe('5440')
  view.unmount()
})
