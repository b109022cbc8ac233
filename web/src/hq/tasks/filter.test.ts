import { describe, expect, it } from 'vitest'
import type { Task, TaskStatus, TaskWater } from '@/api/types'
import { byUrgency, choices, fromQuery, matches, NO_FILTER, toQuery, saidStatus } from './filter'

const task = (id: string, change: Partial<Task> = {}): Task => ({
  id, code: `B4-${id}`, title: { zh: '巡堤', en: 'Patrol' }, text: '', level: 'blue', status: 'issued', role: 'patrol_team', role_name: { zh: '巡查队', en: 'Patrol team' },
  place: { id: 'cell-01', kind: 'cell', name: { zh: '1 号网格', en: 'Grid 1' }, lon: 0, lat: 0 }, owner: { member: 'm', name: '李某某', phone: '' }, deputy: null, holder: 'm', created_at: '', issued_at: null, due_at: null, answer_due_at: null,
  delivered_at: null, acknowledged_at: null, arrived_at: null, done_at: null, verified_at: null, declined: null, escalations: 0, life_safety: false, retreat: false, preauthorised: false, authority: '', evidence: [], basis: '', numbers_basis: '', our_default: false, repeat_min: null, round: 1, category: 'patrol', phase: 'respond', band: 'B4', ...change,
})

describe('filters and the address', () => {
  it('go there and back', () => {
    const filter = { ...NO_FILTER, status: 'overdue', role: 'patrol_team', text: '李 某' }
    expect(fromQuery(toQuery(filter) as never)).toEqual(filter)
  })

  it('leave what belongs to others and take away what is empty', () => {
    expect(toQuery({ ...NO_FILTER, level: 'red' }, { drill: 'd1', status: 'done' })).toEqual({ drill: 'd1', level: 'red' })
  })

  it('survive a strange address', () => {
    expect(fromQuery({ status: ['a', 'b'], role: null, nonsense: 'x' })).toEqual(NO_FILTER)
  })
})

describe('which tasks match', () => {
  it('combines filters', () => {
    const one = task('1', { level: 'red', status: 'escalated' })
    expect(matches(one, { ...NO_FILTER, level: 'red', status: 'overdue' })).toBe(true)
    expect(matches(one, { ...NO_FILTER, level: 'red', status: 'done' })).toBe(false)
    expect(matches(one, { ...NO_FILTER, level: 'blue', status: 'overdue' })).toBe(false)
  })

  it.each([['b4-1', true], ['巡堤', true], ['patrol', true], ['李某', true], ['王', false]])('text %s: %s', (text, expected) => expect(matches(task('1'), { ...NO_FILTER, text })).toBe(expected))

  it('takes a group of states and a single state', () => {
    expect(matches(task('1', { status: 'delivered' }), { ...NO_FILTER, status: 'issued' })).toBe(true)
    expect(matches(task('1', { status: 'verified' }), { ...NO_FILTER, status: 'verified' })).toBe(true)
  })
})

describe('order', () => {
  it('says unanswered before the deadline and overdue after it', () => {
    const due_at = '1982-08-02T10:00:00Z'
    const waits = task('1', { status: 'overdue', due_at, acknowledged_at: null })
    expect(saidStatus(waits, Date.parse(due_at) - 1)).toBe('unanswered')
    expect(saidStatus(waits, Date.parse(due_at) + 1)).toBe('overdue')
    expect(saidStatus({ ...waits, acknowledged_at: due_at }, Date.parse(due_at) - 1)).toBe('overdue')
  })

  it('puts overdue on top, refusals next, finished last', () => {
    const order: TaskStatus[] = ['done', 'acknowledged', 'overdue', 'issued', 'declined', 'withdrawn', 'escalated']
    expect(order.map((status, i) => task(String(i), { status })).sort(byUrgency).map((one) => one.status)).toEqual(['overdue', 'escalated', 'declined', 'issued', 'acknowledged', 'done', 'withdrawn'])
  })

  it('puts life safety and the sooner deadline first among equals', () => {
    const tasks = [task('1', { due_at: '2026-01-01T02:00:00Z' }), task('2', { due_at: '2026-01-01T01:00:00Z' }), task('3', { life_safety: true }), task('4', { level: 'red' })]
    expect(tasks.sort(byUrgency).map((one) => one.id)).toEqual(['3', '4', '2', '1'])
  })

  it('puts work that the water overtakes above everything, as long as it is open', () => {
    const water = (slack_min: number): TaskWater => ({ word: 'comes', slack_min, leave_by: null, at: null, travel_min: 0, work_min: 30, words: { zh: '', en: '' } })
    const tasks = [task('1', { status: 'overdue' }), task('2', { status: 'on-site', water: water(-5) }), task('3', { status: 'done', water: water(-5) }), task('4', { water: water(5) })]
    expect([...tasks].sort(byUrgency).map((one) => one.id)).toEqual(['2', '1', '4', '3'])
    // The twin that was asked since then knows better than the task.
    expect([...tasks].sort((a, b) => byUrgency(a, b, (one) => (one.id === '4' ? water(-1) : null))).map((one) => one.id)).toEqual(['4', '1', '2', '3'])
  })

  it('counts choices', () => {
    expect(choices([task('1'), task('2'), task('3', { role: 'town' })], (one) => one.role)).toEqual([{ value: 'patrol_team', count: 2 }, { value: 'town', count: 1 }])
  })
})
