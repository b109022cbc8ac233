// What the server last told: one situation, and tasks, reports and alarms by id. Changed only by `apply` and `reload`.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { address, allPages, api } from '@/api/client'
import { LiveStream, type LinkState } from '@/api/stream'
import type { Activation, Alarm, Report, Situation, StreamEvent, Task } from '@/api/types'
import { useClock } from './clock'
import { useDrillState } from './drillState'
import { useSession } from './session'

export type Proposal = Extract<StreamEvent, { event: 'proposal' }>['data']

export const useLive = defineStore('live', () => {
  const clock = useClock()
  const session = useSession()
  const drillState = useDrillState()
  const situation = shallowRef<Situation | null>(null)
  const tasks = shallowRef(new Map<string, Task>())
  const reports = shallowRef(new Map<string, Report>())
  const alarms = shallowRef(new Map<string, Alarm>())
  /** The last activation heard of, also after it was settled. */
  const activation = shallowRef<Activation | null>(null)
  const proposal = shallowRef<Proposal | null>(null)
  const link = ref<LinkState>('ok')
  /** When the data on the screen was last known to be whole. */
  const heardAt = ref(0)
  const fault = shallowRef<unknown>(null)
  let stream: LiveStream | null = null

  function takeSituation(next: Situation): void {
    situation.value = next
    clock.tell(next.clock)
    drillState.hear(next.drill)
    if (next.activation) activation.value = next.activation
    else if (activation.value?.state === 'asked') activation.value = null
  }

  function apply(events: StreamEvent[]): void {
    const changed = { tasks: new Map(tasks.value), reports: new Map(reports.value), alarms: new Map(alarms.value) }
    const touched = new Set<StreamEvent['event']>()
    for (const { event, data } of events) {
      touched.add(event)
      if (event === 'situation') takeSituation(data)
      else if (event === 'task') changed.tasks.set(data.id, data)
      else if (event === 'report') changed.reports.set(data.id, data)
      else if (event === 'alarm') changed.alarms.set(data.id, data)
      else if (event === 'activation') activation.value = data
      else if (event === 'proposal') proposal.value = data
    }
    if (touched.has('task')) tasks.value = changed.tasks
    if (touched.has('report')) reports.value = changed.reports
    if (touched.has('alarm')) alarms.value = changed.alarms
    heardAt.value = clock.now
  }

  const byId = <T extends { id: string }>(items: T[]): Map<string, T> => new Map(items.map((item) => [item.id, item]))

  /** Reads everything anew. Returns the journal number of the situation, after which events must be replayed. */
  async function reload(): Promise<number> {
    const next = await api.get<Situation>('/situation')
    const before = situation.value?.journal.last ?? 0
    if (next.journal.last < before) stream?.forget()
    takeSituation(next)
    const [newTasks, newAlarms, newReports] = await Promise.all([
      allPages<Task>('/tasks'), allPages<Alarm>('/alarms'), allPages<Report>('/reports'),
    ])
    tasks.value = byId(newTasks)
    alarms.value = byId(newAlarms)
    reports.value = byId(newReports)
    heardAt.value = clock.now
    fault.value = null
    return next.journal.last
  }

  const hurry = (): void => stream?.hurry()
  const doubt = (): void => stream?.doubt()

  async function start(): Promise<void> {
    if (stream) return
    clock.start()
    stream = new LiveStream({
      url: address('/stream'),
      apply,
      reload: async () => void (await reload()),
      state: (state) => (link.value = state),
      signedOut: () => session.ended(),
    })
    window.addEventListener('online', hurry)
    window.addEventListener('offline', doubt)
    let last: number | null = null
    try {
      last = await reload()
    } catch (cause) {
      fault.value = cause
      link.value = 'down'
    }
    stream?.start(last)
  }

  /** Nothing more will be told, the drill is over: closes the line, whose last word is stale, and reads all once more. */
  async function rest(): Promise<void> {
    stream?.stop()
    stream = null
    link.value = 'ok'
    await reload()
  }

  function stop(): void {
    stream?.stop()
    stream = null
    situation.value = activation.value = proposal.value = null
    tasks.value = new Map()
    reports.value = new Map()
    alarms.value = new Map()
    clock.stop()
    window.removeEventListener('online', hurry)
    window.removeEventListener('offline', doubt)
  }

  return { situation, tasks, reports, alarms, activation, proposal, link, heardAt, fault, apply, reload, start, rest, stop }
})
