import { expect, it } from 'vitest'
import type { Alarm } from '@/api/types'
import { folded, sortAlarms } from './alarms'

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
