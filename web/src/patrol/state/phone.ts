// All that the patrol page knows, in one place: who, which tasks, what waits, where. It opens from the phone's own
// store, then asks the server, then follows the stream. Tasks come from the server; taps go to the outbox.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { allPages, api, ApiError, drillId, inDrill } from '@/api/client'
import { seated } from '@/api/seat'
import { LiveStream, type LinkState } from '@/api/stream'
import type { Alarm, LeaveAlarm, Me, Report, Situation, StreamEvent, Task, Why } from '@/api/types'
import { useDrillState } from '@/stores/drillState'
import { useSession } from '@/stores/session'
import type { DeclineBody, QueueItem, TaskMove, Spot } from '../queue/item'
import { Outbox, type NewItem } from '../queue/outbox'
import { forgetKept, keep, openStore, recall, type PhoneStore } from '../queue/storage'
import { project, spotOf, type Levee } from '../place/chainage'
import { leveeFrom } from '../place/levee'
import { damsFrom, openHazardsFrom, type Dam, type OpenHazard } from '../place/works'
import { reachNow } from '../task/countdown'
import { firstToLeave, keepAnswers, readAnswers, type LeaveShown } from './leave'
import { inOrder, newcomers, retreat, shown } from '../task/view'
import { freshFix } from './gps'
import { ring } from './ring'
import { createSos } from './sos'

const FLUSH_EVERY_MS = 30_000
const RING_AGAIN_MS = 20_000
const RING_TIMES = 3
const SIREN_MS = 4_000

export const usePhone = defineStore('patrol-phone', () => {
  const me = shallowRef<Me | null>(null)
  const situation = shallowRef<Situation | null>(null)
  const heardClock = shallowRef<{ now: string; speed: number; at_ms: number } | null>(null)
  const tasks = shallowRef<Task[]>([])
  const tasksAtMs = ref<number | null>(null)
  const items = shallowRef<QueueItem[]>([])
  const water = shallowRef<LeaveAlarm[]>([])
  const waterAnswers = ref(readAnswers())
  const levee = shallowRef<Levee | null>(null)
  const dams = shallowRef<Dam[]>([])
  const hazards = shallowRef<OpenHazard[]>([])
  const link = ref<LinkState>('down')
  const onLine = ref(navigator.onLine)
  const phoneMs = ref(Date.now())
  const signedOut = ref(false)
  const ready = ref(false)
  const muted = ref(false)
  const notice = ref('')
  const drillState = useDrillState()

  let db: PhoneStore | null = null
  /** The drill whose store is open; undefined before the first. */
  let post: string | null | undefined
  let outbox: Outbox | null = null
  let stream: LiveStream | null = null
  let reporting: Promise<void> | null = null
  const timers: ReturnType<typeof setInterval>[] = []
  const rung = new Map<string, { times: number; at_ms: number }>()

  const drillElsewhere = computed(() => situation.value?.scope === 'live' && (situation.value.drill ?? null) !== null)
  /** The drill of this page has ended, or the server knows it no more: the page is for reading. */
  const unknown = computed(() => drillState.word === 'unknown')
  const over = computed(() => drillState.word === 'over' || drillState.word === 'unknown')
  const drill = computed(() => drillId() !== null || situation.value?.scope === 'drill' || situation.value?.clock.kind === 'drill')
  const nowMs = computed(() => reachNow(heardClock.value, phoneMs.value))
  /** What the reach's clock said at a moment of the phone's. */
  const reachMs = (atMs: number): number => reachNow(heardClock.value, atMs)
  const list = computed(() => inOrder(tasks.value.map((task) => shown(task, items.value, { member: me.value?.member_id ?? null, user: me.value?.name ?? null }))))
  const leaving = computed(() => (over.value ? null : retreat(list.value)))
  const waterAlarm = computed(() => (over.value ? null : firstToLeave(water.value, waterAnswers.value)))
  const unsent = computed(() => items.value.filter((item) => item.owner === me.value?.name && (item.state === 'queued' || item.state === 'sending')))
  const refused = computed(() => items.value.filter((item) => item.owner === me.value?.name && item.state === 'failed'))
  const offline = computed(() => !onLine.value || link.value === 'down')
  /** Where on the levee this phone is; null without a fresh position. */
  const here = computed(() => {
    const at = freshFix(phoneMs.value)
    return at === null ? null : project(levee.value, at)
  })

  const sos = createSos({
    send: async (at) => {
      const pending = items.value.some((item) => item.kind === 'sos' && (item.state === 'queued' || item.state === 'sending'))
      if (pending) return void outbox?.flush(true) // one that never left is hurried, not doubled
      const position = freshFix(Date.now())
      const place = spotOf(here.value?.chainage_m ?? null, here.value?.side ?? null, position)
      await add({ kind: 'sos', label: { zh: 'SOS 求救', en: 'SOS' }, drill: drill.value, body: { place, at: new Date(at).toISOString() } })
    },
    ring: () => ring('sos'),
  })

  watch(over, (isOver) => { if (isOver) void end() })

  /** The drill is over: nothing rings, calls, or is sent for it any more. */
  async function end(): Promise<void> {
    sos.stop()
    sos.close()
    rung.clear()
    stream?.stop() // its last word is stale
    stream = null
    await outbox?.end({ status: 0, title: '', detail: '演练已结束，没有送出 (the drill ended before this was sent)', field: null })
    await refresh().catch(() => undefined)
  }

  async function start(): Promise<void> {
    // Nothing of one river may go to the other: another one begins with a whole new page.
    if (post !== undefined && post !== drillId()) return window.location.reload()
    post = drillId()
    // A drill has a store of its own: its tasks and unsent answers never meet the live ones.
    db ??= await openStore(drillId() === null ? undefined : `anlan-patrol-${drillId()}`)
    waterAnswers.value = readAnswers()
    const [keptMe, keptTasks, keptSituation, keptLevee, keptDams, keptWater] = await Promise.all([
      recall<Me>(db, 'me'), recall<Task[]>(db, 'tasks'), recall<Situation>(db, 'situation'), recall<unknown>(db, 'levee'), recall<unknown>(db, 'dams'), recall<LeaveAlarm[]>(db, 'water'),
    ])
    if (keptMe) me.value = keptMe.value
    if (keptTasks) [tasks.value, tasksAtMs.value] = [keptTasks.value, keptTasks.at_ms]
    if (keptSituation) setSituation(keptSituation.value, keptSituation.at_ms)
    if (keptWater) water.value = keptWater.value
    levee.value = leveeFrom(keptLevee?.value)
    dams.value = damsFrom(keptDams?.value)
    outbox ??= await Outbox.open({ db, fetcher: (url, init) => fetch(inDrill(url), seated(init)), now: () => Date.now() })
    outbox.owner = me.value?.name ?? ''
    outbox.onChange(showQueue)
    showQueue()
    ready.value = true
    void navigator.storage?.persist?.()
    timers.push(setInterval(tick, 1000), setInterval(() => void outbox?.flush(), FLUSH_EVERY_MS))
    window.addEventListener('online', wentOnline)
    window.addEventListener('offline', wentOffline)
    document.addEventListener('visibilitychange', cameBack)
    await signIn()
  }

  function stop(): void {
    for (const timer of timers.splice(0)) clearInterval(timer)
    window.removeEventListener('online', wentOnline)
    window.removeEventListener('offline', wentOffline)
    document.removeEventListener('visibilitychange', cameBack)
    drillState.stop()
    stream?.stop()
    stream = null
    sos.rest()
  }

  /** Who is here; offline the last one who signed in on this phone. */
  async function signIn(): Promise<void> {
    try {
      const found = await useSession().check()
      if (found === null) {
        signedOut.value = true
        return
      }
      await become(found)
    } catch {
      // No answer: go on with what the phone has. The stream's timer asks again.
    }
    listen()
    void outbox?.flush(true)
  }

  async function become(who: Me): Promise<void> {
    if (db && me.value && me.value.name !== who.name) {
      await forgetKept(db) // another person's tasks are not this one's to read
      ;[tasks.value, tasksAtMs.value, water.value] = [[], null, []]
    }
    me.value = who
    signedOut.value = false
    drillState.start()
    if (outbox) outbox.owner = who.name
    if (db) await keep(db, 'me', who, Date.now())
    showQueue()
    await refresh().catch(() => undefined)
    void loadMap()
  }

  function listen(): void {
    if (over.value) return
    stream ??= new LiveStream({
      url: inDrill('/api/v1/stream'), apply, reload: reloadAll, state: (state) => { link.value = state; if (state === 'ok') void outbox?.flush(true) },
      signedOut: () => { signedOut.value = true; link.value = 'down'; stream = null },
    })
    stream.start(situation.value !== null && tasksAtMs.value !== null && link.value === 'ok' ? situation.value.journal.last : null)
  }

  async function reloadAll(): Promise<void> {
    const session = useSession()
    if (!session.checked) {
      const found = await session.check()
      if (found) return become(found)
    }
    await refresh()
  }

  /** Reads tasks and situation anew. Rejects when the server is away. */
  async function refresh(): Promise<void> {
    try {
      const [now, mine, leave] = await Promise.all([api.get<Situation>('/situation'), allPages<Task>('/tasks?member=me'), ownWater()])
      setSituation(now, Date.now())
      setTasks(mine)
      setWater(leave)
      link.value = 'ok'
      if (db) await keep(db, 'situation', now, Date.now())
    } catch (cause) {
      if (cause instanceof ApiError && cause.status === 401) signedOut.value = true
      throw cause
    }
  }

  /** Alarms of water where this person is; an account without a member is nowhere. */
  async function ownWater(): Promise<LeaveAlarm[]> {
    return me.value?.member_id ? (await api.get<{ items: LeaveAlarm[] }>('/alarms')).items : []
  }

  /** The levee and dams change once a season; hazards are asked for when the report page opens. */
  async function loadMap(): Promise<void> {
    const layer = async (name: string, set: (value: unknown) => void): Promise<void> => {
      const value = await api.get<unknown>(`/map/${name}`)
      set(value)
      if (db) await keep(db, name, value, Date.now())
    }
    await Promise.allSettled([layer('levee', (value) => { levee.value = leveeFrom(value) }), layer('dams', (value) => { dams.value = damsFrom(value) })])
  }

  function loadHazards(): Promise<void> {
    reporting ??= api.get<unknown>('/map/hazards').then((value) => { hazards.value = openHazardsFrom(value) }, () => undefined).finally(() => { reporting = null })
    return reporting
  }

  function apply(events: StreamEvent[]): void {
    for (const event of events) {
      if (event.event === 'situation') setSituation(event.data, Date.now())
      else if (event.event === 'task') setTask(event.data)
      else if (event.event === 'report') heardReport(event.data)
      else if (event.event === 'alarm') heardAlarm(event.data)
      else if (event.event === 'leave') setWater(event.data.items)
    }
  }

  function setSituation(now: Situation, atMs: number): void {
    situation.value = now
    drillState.hear(now.drill)
    heardClock.value = { now: now.clock.now, speed: now.clock.speed, at_ms: atMs }
  }

  function setTask(task: Task): void {
    const member = me.value?.member_id
    const concerns = member !== null && member !== undefined && [task.holder, task.owner?.member, task.deputy?.member].includes(member)
    const rest = tasks.value.filter((other) => other.id !== task.id)
    setTasks(concerns ? [...rest, task] : rest)
  }

  function setTasks(next: Task[]): void {
    const before = tasks.value
    tasks.value = next
    tasksAtMs.value = Date.now()
    if (db) void keep(db, 'tasks', next, Date.now())
    for (const it of newcomers(before, list.value)) {
      if (over.value) break
      rung.set(it.task.id, { times: 1, at_ms: Date.now() })
      muted.value = false
      notice.value = it.task.id
      ring(it.task.retreat ? 'retreat' : 'task')
    }
  }

  function setWater(next: LeaveAlarm[]): void {
    const known = waterAlarm.value?.alarm.id
    water.value = next
    if (db) void keep(db, 'water', next, Date.now())
    if (waterAlarm.value?.next !== 'leaving' || waterAlarm.value.alarm.id === known) return
    muted.value = false
    ring('retreat')
  }

  /** What the person answers to an alarm of water goes to headquarters as a report, also when there is no network yet. */
  async function answerWater({ alarm, next }: LeaveShown): Promise<void> {
    const place = alarm.place
    const said = next === 'leaving' ? { zh: '收到撤离警报，正在撤出', en: 'got the alarm, leaving' } : { zh: '已撤到安全处', en: 'safe' }
    const label = { zh: `${said.zh} ${place.name.zh}`, en: `${said.en}: ${place.name.en}` }
    const at = freshFix(Date.now())
    const spot: Spot = at === null ? { place: place.id } : spotOf(here.value?.chainage_m ?? null, here.value?.side ?? null, at)
    await add({ kind: 'report', label, drill: drill.value, body: { kind: 'patrol', type: next, place: spot, observed_at: new Date(nowMs.value).toISOString(), text: label.zh } })
    waterAnswers.value = { ...waterAnswers.value, [alarm.id]: { since: alarm.since, word: next } }
    keepAnswers(waterAnswers.value)
  }

  function heardReport(report: Report): void {
    if (report.seen_by === null && report.state === 'open') return
    void outbox?.markSeen(report.id)
    if (report.kind === 'sos' && isOwnSos(report.id)) sos.answered(report.seen_by ?? '')
  }

  function heardAlarm(alarm: Alarm): void {
    // The cause of an alarm about a report is `report:` and its id.
    if (alarm.state !== 'new' && isOwnSos(alarm.cause.replace(/^report:/, ''))) sos.answered(alarm.acked_by ?? '')
  }

  function isOwnSos(serverId: string): boolean {
    return items.value.some((item) => item.kind === 'sos' && item.server_id === serverId)
  }

  /** One answer to one task; its photos and its count go as a report of kind `task`. */
  async function answer(task: Task, move: TaskMove, body: Record<string, never> | DeclineBody = {}, photos: NewItem['photos'] = [], counted: number | null = null): Promise<void> {
    rung.delete(task.id)
    const label = { zh: task.title.zh, en: task.title.en }
    await add({ kind: move, subject: task.id, label, drill: drill.value, body })
    if ((photos?.length ?? 0) === 0 && counted === null) return
    const position = freshFix(Date.now())
    const place = spotOf(here.value?.chainage_m ?? task.place.chainage_from_m ?? null, here.value?.side ?? null, position)
    await add({ kind: 'report', label, drill: drill.value, photos, body: { kind: 'task', type: (photos?.length ?? 0) > 0 ? 'photo' : 'count', task: task.id, place, observed_at: new Date(nowMs.value).toISOString(), text: `${task.code} ${task.title.zh}${counted === null ? '' : `，数量 ${counted}`}` } })
  }

  async function add(wanted: NewItem): Promise<void> {
    if (outbox === null) throw new Error('the store of this phone is not open yet')
    await outbox.add(wanted)
  }

  /** The chain of evidence; the last one seen when there is no network. */
  async function why(task: Task): Promise<Why | null> {
    const key = `why ${task.id}`
    try {
      const found = await api.get<Why>(`/tasks/${encodeURIComponent(task.id)}/why`)
      if (db) await keep(db, key, found, Date.now())
      return found
    } catch (cause) {
      const kept = db ? await recall<Why>(db, key) : undefined
      if (kept) return kept.value
      if (cause instanceof ApiError && !cause.offline) throw cause
      return null
    }
  }

  async function leave(): Promise<void> {
    await useSession().signOut()
    if (db) await forgetKept(db)
    navigator.serviceWorker?.controller?.postMessage('forget')
    me.value = null
    ;[tasks.value, tasksAtMs.value, water.value] = [[], null, []]
    if (outbox) outbox.owner = ''
    stop()
  }

  function tick(): void {
    phoneMs.value = Date.now()
    const siren = (leaving.value?.next === 'acknowledge' || waterAlarm.value?.next === 'leaving') && !muted.value
    if (siren && phoneMs.value % SIREN_MS < 1000) ring('retreat')
    for (const [id, bell] of rung) {
      const waits = list.value.some((it) => it.task.id === id && it.next === 'acknowledge')
      if (!waits || bell.times >= RING_TIMES) rung.delete(id)
      else if (!siren && phoneMs.value - bell.at_ms >= RING_AGAIN_MS) {
        rung.set(id, { times: bell.times + 1, at_ms: phoneMs.value })
        ring('task')
      }
    }
    const due = outbox?.nextTry()
    if (due != null && due > 0 && due <= phoneMs.value && onLine.value) void outbox?.flush()
  }

  function showQueue(): void {
    items.value = outbox?.all() ?? []
    if (outbox?.needsSignIn) signedOut.value = true
  }
  function wentOnline(): void {
    onLine.value = true
    stream?.hurry()
    void outbox?.flush(true)
  }
  function wentOffline(): void {
    onLine.value = false
  }
  function cameBack(): void {
    if (document.visibilityState !== 'visible') return
    phoneMs.value = Date.now()
    stream?.hurry()
    void outbox?.flush(true)
    void refresh().catch(() => undefined)
  }

  const queue = {
    edit: (id: string, body: QueueItem['body']) => outbox?.edit(id, body),
    resend: (id: string) => outbox?.resend(id),
    discard: (id: string) => outbox?.discard(id),
    flush: () => outbox?.flush(true),
    photosOf: (id: string) => outbox?.photosOf(id) ?? Promise.resolve([]),
    store: () => db,
  }

  return {
    me, situation, tasks, tasksAtMs, items, levee, dams, hazards, link, onLine, phoneMs, signedOut, ready, muted, notice, drill, over, unknown, drillElsewhere, nowMs, reachMs, list, leaving, waterAlarm, answerWater, unsent, refused, offline, here,
    sos, queue, start, stop, refresh, loadHazards, answer, add, why, leave,
  }
})
