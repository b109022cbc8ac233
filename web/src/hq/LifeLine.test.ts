import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import type { Alarm } from '@/api/types'
import { addMessages, i18n } from '@/i18n'
import { useLive } from '@/stores/live'
import LifeLine from './LifeLine.vue'
import { messages } from './messages'
import { sound } from './sound'

addMessages(messages)
beforeEach(() => setActivePinia(createPinia()))
const alarm = (id: string, change: Partial<Alarm>): Alarm => ({ id, severity: 'critical', kind: 'sos', cause: id, title: { zh: '求救', en: 'SOS' }, count: 1, since: '2026-01-01T00:00:00Z', last: '2026-01-01T00:00:00Z', state: 'new', acked_by: null, acked_at: null, shelved_until: null, ...change })

it('stands across the wall from an SOS until it is minded, with the sound off, and leads to it', async () => {
  const live = useLive()
  const line = mount(LifeLine, { global: { plugins: [i18n] } })
  expect(sound.value).toBe('off')
  expect(line.find('[data-testid=life-line]').exists()).toBe(false)
  live.apply([{ event: 'alarm', data: alarm('gauge:late', { kind: 'gauge', severity: 'warning' }) }])
  await nextTick()
  expect(line.find('[data-testid=life-line]').exists()).toBe(false)

  live.apply([{ event: 'alarm', data: alarm('report:1', {}) }, { event: 'alarm', data: alarm('water:v', { kind: 'water', title: { zh: '水到村', en: 'water' } }) }])
  await nextTick()
  expect(line.get('[data-testid=life-line]').attributes('data-count')).toBe('2')
  expect(line.text()).toContain('求救')
  await line.get('[data-testid=life-open]').trigger('click')
  expect(line.emitted('open')).toEqual([['report:1']])

  live.apply([{ event: 'alarm', data: alarm('report:1', { state: 'acked' }) }])
  await nextTick()
  expect(line.text()).toContain('水到村')
  live.apply([{ event: 'alarm', data: alarm('water:v', { state: 'closed' }) }])
  await nextTick()
  expect(line.find('[data-testid=life-line]').exists()).toBe(false)
})
