// Which tasks are shown and in what order. Filters live in the address, so a view can be sent to a colleague.
import type { Level, Task, TaskStatus, TaskWater } from '@/api/types'
import type { LocationQuery, LocationQueryRaw } from 'vue-router'

export interface TaskFilter { level: string; phase: string; role: string; grid: string; status: string; text: string }

export const NO_FILTER: TaskFilter = { level: '', phase: '', role: '', grid: '', status: '', text: '' }
const NAMES = Object.keys(NO_FILTER) as (keyof TaskFilter)[]

export function fromQuery(query: LocationQuery): TaskFilter {
  const filter = { ...NO_FILTER }
  for (const name of NAMES) {
    const value = query[name]
    if (typeof value === 'string') filter[name] = value
  }
  return filter
}

/** The query of the address with this filter; parameters of others stay. */
export function toQuery(filter: TaskFilter, rest: LocationQuery = {}): LocationQueryRaw {
  const query: LocationQueryRaw = { ...rest }
  for (const name of NAMES) {
    if (filter[name]) query[name] = filter[name]
    else delete query[name]
  }
  return query
}

export type Group = 'draft' | 'issued' | 'acknowledged' | 'active' | 'done' | 'refused' | 'overdue' | 'withdrawn'

/** Groups of states as the head of the board counts them. */
export const GROUPS: Record<Group, TaskStatus[]> = {
  draft: ['draft'],
  issued: ['issued', 'delivered'],
  acknowledged: ['acknowledged'],
  active: ['on-site'],
  done: ['done', 'verified'],
  refused: ['declined'],
  overdue: ['overdue', 'escalated'],
  withdrawn: ['withdrawn'],
}

const matchesStatus = (status: TaskStatus, wanted: string): boolean =>
  status === wanted || (GROUPS[wanted as Group]?.includes(status) ?? false)

export function matches(task: Task, filter: TaskFilter): boolean {
  if (filter.level && task.level !== filter.level) return false
  if (filter.phase && task.phase !== filter.phase) return false
  if (filter.role && task.role !== filter.role) return false
  if (filter.grid && task.place.id !== filter.grid) return false
  if (filter.status && !matchesStatus(task.status, filter.status)) return false
  if (!filter.text) return true
  const wanted = filter.text.toLowerCase()
  return [task.code, task.title.zh, task.title.en, task.place.name.zh, task.place.name.en, task.owner?.name ?? '', task.role_name.zh]
    .some((text) => text.toLowerCase().includes(wanted))
}

/** The word for a task's state: nobody answered in time is not the same as past its deadline. */
export function saidStatus(task: Task, now: number): TaskStatus | 'unanswered' {
  const isLate = task.due_at !== null && Date.parse(task.due_at) < now
  return task.status === 'overdue' && task.acknowledged_at === null && !isLate ? 'unanswered' : task.status
}

const RANK: Record<TaskStatus, number> = {
  overdue: 0, escalated: 0, declined: 1, issued: 2, draft: 2, delivered: 3, acknowledged: 4, 'on-site': 5, done: 6, verified: 7, withdrawn: 8,
}
const SEVERITY: Record<Level, number> = { red: 0, orange: 1, yellow: 2, blue: 3, none: 4 }

/** Work that cannot be done before the water first, then overdue, then refused, then what waits longest for an answer. */
export function byUrgency(a: Task, b: Task, water: (task: Task) => TaskWater | null = (task) => task.water ?? null): number {
  const late = (task: Task): number => Number(RANK[task.status] < RANK.done && (water(task)?.slack_min ?? 0) < 0)
  return late(b) - late(a)
    || RANK[a.status] - RANK[b.status]
    || Number(b.life_safety) - Number(a.life_safety)
    || SEVERITY[a.level] - SEVERITY[b.level]
    || (a.due_at ?? '9999').localeCompare(b.due_at ?? '9999')
    || a.code.localeCompare(b.code)
    || a.id.localeCompare(b.id, undefined, { numeric: true })
}

/** Choices that occur in the tasks at hand, with their counts. */
export function choices<K extends string>(tasks: Iterable<Task>, key: (task: Task) => K): { value: K; count: number }[] {
  const counts = new Map<K, number>()
  for (const task of tasks) counts.set(key(task), (counts.get(key(task)) ?? 0) + 1)
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value.localeCompare(b.value))
}
