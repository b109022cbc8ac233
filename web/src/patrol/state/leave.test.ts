import { expect, it } from 'vitest'
import type { LeaveAlarm } from '@/api/types'
import { firstToLeave } from './leave'

const alarm = (id: string, since = '2026-07-28T23:00:00+08:00'): LeaveAlarm => ({
  id, severity: 'critical', kind: 'water', cause: id, title: { zh: '立即撤离', en: 'leave now' }, count: 1, since, last: since, state: 'new', acked_by: null, acked_at: null, shelved_until: null,
  place: { id: id.replace('water:', ''), kind: 'village', name: { zh: id, en: id }, lon: 113.6, lat: 34.9 },
})

it('asks first where nothing was answered, then whether he is safe, and is then silent', () => {
  const [a, b] = [alarm('water:a'), alarm('water:b')]
  expect(firstToLeave([], {})).toBeNull()
  expect(firstToLeave([a, b], {})).toEqual({ alarm: a, next: 'leaving' })
  const leavingA = { [a.id]: { since: a.since, word: 'leaving' as const } }
  expect(firstToLeave([a, b], leavingA)).toEqual({ alarm: b, next: 'leaving' })
  expect(firstToLeave([a], leavingA)).toEqual({ alarm: a, next: 'safe' })
  expect(firstToLeave([a], { [a.id]: { since: a.since, word: 'safe' } })).toBeNull()
})

it('covers the screen anew when an alarm that had ended comes again', () => {
  const was = alarm('water:a')
  const again = alarm('water:a', '2026-07-29T04:00:00+08:00')
  expect(firstToLeave([again], { [was.id]: { since: was.since, word: 'safe' } })).toEqual({ alarm: again, next: 'leaving' })
})
