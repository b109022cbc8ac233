// What a task looks like on the phone of the one who has it: the server's state plus what still waits in the outbox.
import type { Task, TaskStatus } from '@/api/types'
import { byAge, type QueueItem, type TaskMove } from '../queue/item'

const LOCAL: Record<TaskMove, TaskStatus> = { acknowledge: 'acknowledged', decline: 'declined', arrive: 'on-site', done: 'done' }
const OVER: readonly TaskStatus[] = ['done', 'verified', 'withdrawn', 'declined']
const RANK: Record<TaskMove, number> = { acknowledge: 1, arrive: 2, done: 3, decline: 4 }

/** A task as shown. `waiting`: the last own move is not confirmed by the server yet. `handedTo`: it was mine, nobody
 * answered in time and this deputy was called; until one of us answers, I still may. */
export interface ShownTask { task: Task; status: TaskStatus; next: Exclude<TaskMove, 'decline'> | null; waiting: boolean; mine: boolean; open: boolean; handedTo: string | null }

/** Lays the outbox over the server's state, so that a tap shows at once, offline too. A withdrawal beats a late tap. */
export function shown(task: Task, items: readonly QueueItem[], who: { member: string | null; user: string | null }): ShownTask {
  const { member, user } = who
  const moves = items.filter((item) => item.subject === task.id && item.kind in RANK && item.state !== 'failed' && item.state !== 'draft').sort(byAge)
  const last = moves[moves.length - 1]
  const waiting = last !== undefined && (last.state === 'queued' || last.state === 'sending')
  const reached = task.done_at ? 3 : task.arrived_at ? 2 : task.acknowledged_at ? 1 : 0
  const local = last && !OVER.includes(task.status) && RANK[last.kind as TaskMove] > reached ? LOCAL[last.kind as TaskMove] : null
  // Who could not go is through with it, whoever has it now, until somebody names him again.
  const refusedAt = task.declined !== null && task.declined.by === user ? Date.parse(task.declined.at) : null
  const named = task.owner?.member === member && task.assigned ? Date.parse(task.assigned.at) : null
  const refused = refusedAt !== null && reached === 0 && local === null && !(named !== null && named > refusedAt)
  const status = refused && !OVER.includes(task.status) ? 'declined' : (local ?? task.status)
  const done = local === null ? reached : RANK[last?.kind as TaskMove]
  const open = !OVER.includes(status)
  const holds = task.holder === null || task.holder === member
  const handedTo = open && !holds && task.owner?.member === member && (local !== null || task.acknowledged_at === null) ? (task.deputy?.name ?? '') : null
  const mine = holds || handedTo !== null
  const next = !open || !mine ? null : done === 0 ? 'acknowledge' : done === 1 ? 'arrive' : 'done'
  return { task, status, next, waiting, mine, open, handedTo }
}

/** What the pill says: an answer that is missing is another thing than work that is late. */
export const statusWord = (it: ShownTask): string => (it.status === 'overdue' && it.task.acknowledged_at === null ? 'unanswered' : it.status)

/** Life safety first, then the newest; finished ones and other people's last. */
export function inOrder(list: readonly ShownTask[]): ShownTask[] {
  const rank = (it: ShownTask): number => (!it.open ? 3 : !it.mine ? 2 : it.task.life_safety && it.next === 'acknowledge' ? 0 : 1)
  const born = (it: ShownTask): number => Date.parse(it.task.issued_at ?? it.task.created_at) || 0
  return [...list].sort((a, b) => rank(a) - rank(b) || born(b) - born(a) || (a.task.id < b.task.id ? -1 : 1))
}

/** The retreat order that must cover the screen, if one waits for an answer or for word that the person is out. Other
 * life-safety rows warn and move other people: whoever knocks at doors must keep his phone usable. */
export function retreat(list: readonly ShownTask[]): ShownTask | null {
  return list.find((it) => it.task.retreat && it.mine && it.open && it.next !== null) ?? null
}

/** The order cut into at most `most` steps at its own full stops and semicolons; the rest stays in the last one. */
export function stepsOf(text: string, most = 5): string[] {
  const parts = text.split(/(?<=[。；;！!])\s*|\n+/).map((part) => part.trim()).filter((part) => part !== '')
  if (parts.length <= most) return parts.map(bare)
  return [...parts.slice(0, most - 1).map(bare), parts.slice(most - 1).join('')]
}

function bare(step: string): string {
  return step.replace(/[。；;]$/, '')
}

/** Whether the order asks for a picture as evidence. */
export function wantsPhoto(task: Task): boolean {
  return task.evidence.some((kind) => kind.includes('photo'))
}

/** Whether the order asks for a number, such as people or households. */
export function wantsCount(task: Task): boolean {
  return task.evidence.includes('count')
}

const DAY_MS = 86_400_000

/** What headquarters took back of a day's orders that this member had taken on. */
export function takenBack(list: readonly ShownTask[], nowMs: number): ShownTask[] {
  return list.filter((it) => it.mine && it.status === 'withdrawn' && it.task.acknowledged_at !== null && nowMs - Date.parse(it.task.acknowledged_at) < DAY_MS)
}

/** Tasks that came in since the last look and wait for this member's answer. */
export function newcomers(before: readonly Task[], now: readonly ShownTask[]): ShownTask[] {
  const known = new Set(before.filter((task) => task.acknowledged_at === null).map((task) => `${task.id} ${task.round} ${task.holder ?? ''}`))
  return now.filter((it) => it.next === 'acknowledge' && it.handedTo === null && !known.has(`${it.task.id} ${it.task.round} ${it.task.holder ?? ''}`))
}
