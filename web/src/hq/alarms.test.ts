import { expect, it } from 'vitest'
import type { Alarm, Task } from '@/api/types'
import { folded, lifeAlarms, openOf, sortAlarms } from './alarms'

const alarm = (id: string, change: Partial<Alarm> = {}): Alarm => ({ id, severity: 'warning', kind: 'gauge-late', cause: '', title: { zh: '', en: '' }, count: 1, since: '', last: '2026-01-01T00:00:00Z', state: 'new', acked_by: null, acked_at: null, shelved_until: null, ...change })

it('orders alarms for the eye and leaves out closed ones', () => {
  const rows = [alarm('late'), alarm('new', { last: '2026-01-01T01:00:00Z' }), alarm('acked', { state: 'acked', severity: 'critical' }), alarm('critical', { severity: 'critical' }), alarm('sos', { kind: 'sos', severity: 'critical' }), alarm('gone', { state: 'closed' }), alarm('shelved', { state: 'shelved' })]
  expect(sortAlarms(rows).map((row) => row.id)).toEqual(['sos', 'critical', 'new', 'late', 'acked', 'shelved'])
})

it('puts a hazard before any number of missing answers, and folds these', () => {
  const silent = Array.from({ length: 20 }, (_, n) => alarm(`unanswered:${n}`, { kind: 'unanswered', severity: 'critical' }))
  const rows = sortAlarms([...silent, alarm('report:7', { kind: 'hazard' }), alarm('water:v', { kind: 'water', severity: 'critical' })])
  expect(rows.slice(0, 2).map((row) => row.id)).toEqual(['water:v', 'report:7'])
  expect(folded(rows, false)).toMatchObject({ shown: { length: 3 }, hidden: 19 })
  expect(folded(rows, true).shown).toHaveLength(22)
  expect(folded(rows.slice(0, 4), false)).toEqual({ shown: rows.slice(0, 4), hidden: 0 })
})

it('counts for a closed tab what nobody has minded, and the gravest of it', () => {
  expect(openOf([])).toEqual({ n: 0, gravest: null })
  expect(openOf([alarm('a'), alarm('b', { severity: 'info' }), alarm('minded', { severity: 'critical', state: 'acked' }), alarm('gone', { severity: 'critical', state: 'closed' })])).toEqual({ n: 2, gravest: 'warning' })
  expect(openOf([alarm('a', { severity: 'info' }), alarm('b', { severity: 'critical' })])).toEqual({ n: 2, gravest: 'critical' })
})

it('keeps before every eye what life hangs on, until somebody has minded it', () => {
  const tasks = [{ code: 'A01', life_safety: true }, { code: 'B02', life_safety: false }] as Task[]
  const critical = { severity: 'critical' } as const
  const rows = [alarm('unanswered:B02', { kind: 'unanswered', ...critical }), alarm('unanswered:A01', { kind: 'unanswered', ...critical }), alarm('gauge', critical), alarm('stones:1', { kind: 'stones' }), alarm('water:v', { kind: 'water', ...critical }), alarm('report:1', { kind: 'sos', ...critical })]
  expect(lifeAlarms(rows, tasks).map((row) => row.id)).toEqual(['report:1', 'water:v', 'unanswered:A01'])
  for (const state of ['acked', 'shelved', 'closed'] as const) expect(lifeAlarms(rows.map((row) => ({ ...row, state })), tasks)).toEqual([])
})
