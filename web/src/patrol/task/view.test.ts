import { describe, expect, it } from 'vitest'
import type { Task, TaskStatus } from '@/api/types'
import type { ItemState, QueueItem, TaskMove } from '../queue/item'
import { inOrder, newcomers, retreat, shown, statusWord, stepsOf, takenBack } from './view'

function task(over: Partial<Task> = {}): Task {
  return {
    id: 'tsk-1', code: 'B10-008', title: { zh: '拉网巡查', en: 'Sweep patrol' }, text: '', level: 'red', status: 'issued', role: 'patrol_team', role_name: { zh: '', en: '' },
    place: { id: 'seg-10', kind: 'segment', name: { zh: '', en: '' }, lon: 113.6, lat: 34.9 }, owner: null, deputy: null, holder: 'mbr-1', created_at: '2026-07-28T22:00:00+08:00',
    issued_at: null, due_at: null, answer_due_at: null, delivered_at: null, acknowledged_at: null, arrived_at: null, done_at: null, verified_at: null, declined: null, escalations: 0,
    life_safety: false, retreat: false, preauthorised: false, authority: 'none', evidence: [], basis: '', numbers_basis: '', our_default: true, repeat_min: null, round: 1, category: '', phase: 'respond', band: 'B10', ...over,
  }
}
function move(kind: TaskMove, state: ItemState, created_ms: number): QueueItem {
  return {
    id: `${kind}${created_ms}`, key: '', owner: 'li', kind, subject: 'tsk-1', label: { zh: '', en: '' }, drill: false, body: {}, photos: [], attach_to: '', sent: 0, state, created_ms,
    settled_ms: null, attempts: 0, retry_ms: 0, refusal: null, server_id: '',
  }
}
const WHO = (n: number): { member: string; user: string } => ({ member: `mbr-${n}`, user: `user-${n}` })
const acknowledged = { status: 'acknowledged' as TaskStatus, acknowledged_at: '2026-07-28T22:05:00+08:00' }

describe('shown', () => {
  function check(of: Task, items: QueueItem[], expected: { status: TaskStatus; next: string | null; waiting: boolean }): void {
    const { status, next, waiting } = shown(of, items, WHO(1))
    expect({ status, next, waiting }).toEqual(expected)
  }
  it('leads from 收到 to 到达 to 完成', () => {
    check(task(), [], { status: 'issued', next: 'acknowledge', waiting: false })
    check(task(acknowledged), [], { status: 'acknowledged', next: 'arrive', waiting: false })
    check(task({ ...acknowledged, status: 'on-site', arrived_at: acknowledged.acknowledged_at }), [], { status: 'on-site', next: 'done', waiting: false })
    check(task({ status: 'done', done_at: acknowledged.acknowledged_at }), [], { status: 'done', next: null, waiting: false })
    check(task({ ...acknowledged, status: 'overdue' }), [], { status: 'overdue', next: 'arrive', waiting: false })
  })
  it('shows a tap at once, while it still waits', () => {
    check(task(), [move('acknowledge', 'queued', 1)], { status: 'acknowledged', next: 'arrive', waiting: true })
    check(task(), [move('acknowledge', 'queued', 1), move('arrive', 'queued', 2)], { status: 'on-site', next: 'done', waiting: true })
    check(task(), [move('decline', 'queued', 1)], { status: 'declined', next: null, waiting: true })
    check(task(acknowledged), [move('acknowledge', 'delivered', 1)], { status: 'acknowledged', next: 'arrive', waiting: false })
  })
  it('takes a refused tap back, and lets a withdrawal win', () => {
    check(task(), [move('acknowledge', 'failed', 1)], { status: 'issued', next: 'acknowledge', waiting: false })
    check(task({ status: 'withdrawn' }), [move('arrive', 'queued', 1)], { status: 'withdrawn', next: null, waiting: true })
  })
  it('gives no button for what another person holds', () => {
    expect(shown(task({ holder: 'mbr-2' }), [], WHO(1))).toMatchObject({ next: null, mine: false, open: true })
  })
})

describe('handed to the deputy', () => {
  const person = (member: string, name: string): Task['owner'] => ({ member, name, phone: '' })
  const escalated = { status: 'escalated' as TaskStatus, escalations: 1, owner: person('mbr-1', '李某某'), deputy: person('mbr-2', '王某某'), holder: 'mbr-2' }
  it('leaves the owner his buttons until somebody answers', () => {
    expect(shown(task(escalated), [], WHO(1))).toMatchObject({ next: 'acknowledge', mine: true, handedTo: '王某某' })
    expect(shown(task(escalated), [], WHO(2))).toMatchObject({ next: 'acknowledge', mine: true, handedTo: null })
    expect(shown(task(escalated), [], WHO(3))).toMatchObject({ next: null, mine: false, handedTo: null })
    expect(shown(task({ ...escalated, ...acknowledged }), [], WHO(1))).toMatchObject({ next: null, mine: false, handedTo: null })
    expect(shown(task(escalated), [move('acknowledge', 'queued', 1)], WHO(1))).toMatchObject({ status: 'acknowledged', next: 'arrive', mine: true })
  })
  it('is over for the one who could not go, until he is named again', () => {
    const declined = { reason: 'road-cut', text: null, by: 'user-1', at: '2026-07-28T22:03:00+08:00' }
    expect(shown(task({ ...escalated, declined }), [], WHO(1))).toMatchObject({ status: 'declined', next: null, open: false })
    expect(shown(task({ ...escalated, declined }), [], WHO(2))).toMatchObject({ next: 'acknowledge', mine: true, open: true })
    const assigned = { by: 'chief', at: '2026-07-28T22:10:00+08:00', reason: 'way is free' }
    expect(shown(task({ ...escalated, holder: 'mbr-1', declined, assigned }), [], WHO(1))).toMatchObject({ next: 'acknowledge', open: true })
  })
  it('does not ring him again', () => {
    expect(newcomers([task({ ...escalated, holder: 'mbr-1' })], [shown(task(escalated), [], WHO(1))])).toEqual([])
  })
})

it('puts life safety first, then the newest, then the finished', () => {
  const list = [
    task({ id: 'old', issued_at: '2026-07-28T20:00:00+08:00' }), task({ id: 'new', issued_at: '2026-07-28T22:00:00+08:00' }), task({ id: 'done', status: 'done', issued_at: '2026-07-28T23:00:00+08:00' }),
    task({ id: 'out', life_safety: true, retreat: true, issued_at: '2026-07-28T19:00:00+08:00' }), task({ id: 'other', holder: 'mbr-2', issued_at: '2026-07-28T23:00:00+08:00' }),
  ].map((it) => shown(it, [], WHO(1)))
  expect(inOrder(list).map((it) => it.task.id)).toEqual(['out', 'new', 'old', 'other', 'done'])
  expect(retreat(inOrder(list))?.task.id).toBe('out')
})

it('keeps the retreat order up until the person is out', () => {
  const out = task({ ...acknowledged, life_safety: true, retreat: true })
  expect(retreat([shown(out, [], WHO(1))])).not.toBeNull()
  expect(retreat([shown({ ...out, status: 'done', done_at: acknowledged.acknowledged_at }, [], WHO(1))])).toBeNull()
  expect(retreat([shown({ ...out, holder: 'mbr-2' }, [], WHO(1))])).toBeNull()
})

it('tells of orders that were taken back from who had taken them on, for a day', () => {
  const now = Date.parse('2026-07-28T23:30:00+08:00')
  const back = (over: Partial<Task>, member = 1, at = now): number => takenBack([shown(task({ ...acknowledged, status: 'withdrawn', ...over }), [], WHO(member))], at).length
  expect(back({})).toBe(1)
  expect(back({ acknowledged_at: null })).toBe(0)
  expect(back({ status: 'done' })).toBe(0)
  expect(back({}, 1, now + 2 * 86_400_000)).toBe(0)
})

it('says of an order without an answer that the answer is late, not the work', () => {
  expect(statusWord(shown(task({ status: 'overdue' }), [], WHO(1)))).toBe('unanswered')
  expect(statusWord(shown(task({ ...acknowledged, status: 'overdue' }), [], WHO(1)))).toBe('overdue')
})

it('rings for new tasks, new rounds and tasks handed over, not for known ones', () => {
  const ring = (before: Task[], now: Task): string[] => newcomers(before, [shown(now, [], WHO(1))]).map((it) => it.task.id)
  expect(ring([], task())).toEqual(['tsk-1'])
  expect(ring([task()], task())).toEqual([])
  expect(ring([task()], task({ round: 2 }))).toEqual(['tsk-1'])
  expect(ring([task({ holder: 'mbr-2' })], task())).toEqual(['tsk-1'])
  expect(ring([], task(acknowledged))).toEqual([])
})

it.each([
  ['临河坡、堤顶、背河坡三线并进。重点看坝根石；发现险情先报后处。', ['临河坡、堤顶、背河坡三线并进', '重点看坝根石', '发现险情先报后处']], ['一句话', ['一句话']], ['', []],
  ['一。二。三。四。五。六。', ['一', '二', '三', '四', '五。六。']],
])('cuts %s', (text, steps) => { expect(stepsOf(text)).toEqual(steps) })

it.each([[true, 'evacuate', '去检查水尺', true], [false, 'team', '人员机械立即全部撤上大堤', false]])('covers the screen as the order says (%s), whatever its words', (retreats, category, text, expected) => {
  const order = shown(task({ life_safety: true, retreat: retreats, category, text }), [], WHO(1))
  expect(retreat([order]) !== null).toBe(expected)
})
