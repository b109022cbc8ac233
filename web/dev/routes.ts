// Answers of the stand-in server, in the shapes of the real one. Sign in as 王某 to be the second officer.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Activation, Drill, Level, Me, ReleaseCount, Task } from '../src/api/types'
import { layer } from './geo.ts'
import { alarms, evacuation, floods, iso, members, people, preview, reports, series, situation, state, tasks, why } from './world.ts'

type Body = Record<string, unknown>
interface Call { url: URL; body: Body; me: Me; match: string[] }
class Refusal { constructor(readonly status: number, readonly detail: string) {} }

let me: Me = people.duty!
const listeners = new Set<ServerResponse>()
const drills = new Map<string, Drill>()
const page = <T>(items: T[]): { items: T[]; next: null } => ({ items, next: null })

function publish(event: string, data: unknown): void {
  state.journal += 1
  for (const listener of listeners) listener.write(`id: ${state.journal}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}

const RANKS: Level[] = ['none', 'blue', 'yellow', 'orange', 'red']

/** What a level would send here, and the orders of the response above it that it would end. */
function release(level: Level): ReleaseCount {
  const { instructions, tasks: sent, people } = preview({ none: 0, blue: 4500, yellow: 6500, orange: 9000, red: 22_000 }[level] ?? 0).counts
  const ended = [...tasks.values()].filter((task) => task.phase === 'respond' && RANKS.indexOf(task.level) > RANKS.indexOf(level) && !['draft', 'done', 'verified', 'withdrawn'].includes(task.status)).length
  return { level, instructions, tasks: sent, people, ended }
}

function ask({ body, me }: Call): Activation {
  if (state.activation) throw new Refusal(409, '已有一项启动在等待确认')
  const counts = release(body.level as Level)
  state.activation = {
    id: `act-${state.journal}`, level: body.level as Level, reason: String(body.reason), ordered_by: null, prepare_for_m3s: null, state: 'asked', asked_by: me.name, asked_at: iso(), commanders_called: false,
    deputies_may_confirm: false, break_glass_offered: false, break_glass: false, expires_at: iso(300), settled_by: null, settled_at: null, settled_reason: null, instructions: counts.instructions, tasks: counts.tasks, people: counts.people, ended: counts.ended,
  }
  publish('activation', state.activation)
  publish('situation', situation())
  return state.activation
}

function settle(call: Call, to: 'confirmed' | 'refused', glass = false): Activation {
  const asked = state.activation
  if (!asked || asked.id !== call.match[1]) throw new Refusal(404, '没有这项启动')
  if (!glass && asked.asked_by === call.me.name && to === 'confirmed') throw new Refusal(403, '发起人不能确认自己的启动，须由另一人确认')
  const settled: Activation = { ...asked, state: to, break_glass: glass, settled_by: call.me.name, settled_at: iso(), settled_reason: (call.body.reason as string) ?? null }
  state.activation = null
  if (to === 'confirmed') {
    state.inForce = settled.level
    state.since = iso()
  }
  publish('activation', settled)
  publish('situation', situation())
  return settled
}

function act(task: Task | undefined, change: Partial<Task>): Task {
  if (!task) throw new Refusal(404, '没有这项任务')
  const next = { ...task, ...change }
  tasks.set(next.id, next)
  publish('task', next)
  return next
}

const routes: [string, RegExp, (call: Call) => unknown][] = [
  ['GET', /^\/session$/, () => me],
  ['POST', /^\/session$/, ({ body }) => {
    if (body.password === 'wrong') throw new Refusal(401, '账号或密码不对')
    return (me = body.name === '王某' ? people.second! : body.name === 'viewer' ? people.viewer! : people.duty!)
  }],
  ['DELETE', /^\/session$/, () => undefined],
  ['GET', /^\/situation$/, situation],
  ['GET', /^\/tasks$/, ({ url }) => {
    const all = [...tasks.values()]
    const from = Number(url.searchParams.get('after') ?? 0)
    return { items: all.slice(from, from + 100), next: from + 100 < all.length ? String(from + 100) : null }
  }],
  ['GET', /^\/tasks\/([^/]+)\/why$/, ({ match }) => {
    const task = tasks.get(match[1]!)
    if (!task) throw new Refusal(404, '没有这项任务')
    return why(task)
  }],
  ['POST', /^\/tasks\/([^/]+)\/verify$/, ({ match }) => act(tasks.get(match[1]!), { status: 'verified', verified_at: iso() })],
  ['GET', /^\/alarms$/, () => page([...alarms.values()])],
  ['POST', /^\/alarms\/([^/]+)\/(acknowledge|shelve)$/, ({ match, body, me }) => {
    const alarm = alarms.get(match[1]!)
    if (!alarm) throw new Refusal(404, '没有这条告警')
    const next = match[2] === 'shelve' ? { ...alarm, state: 'shelved' as const, shelved_until: iso(Number(body.minutes) * 60) } : { ...alarm, state: 'acked' as const, acked_by: me.name, acked_at: iso() }
    alarms.set(next.id, next)
    publish('alarm', next)
    return next
  }],
  ['GET', /^\/reports$/, () => page(reports)],
  ['GET', /^\/members$/, () => page(members)],
  ['GET', /^\/evacuation$/, () => evacuation],
  ['GET', /^\/series\/([^/]+)\/observations$/, ({ match }) => series(match[1]!) ?? new Refusal(404, `没有序列 ${match[1]}`)],
  ['GET', /^\/map\/([^/]+)$/, ({ match }) => {
    if (match[1] !== 'members') return layer(match[1]!) ?? new Refusal(404, `没有图层 ${match[1]}`)
    return { type: 'FeatureCollection', features: members.map((member) => ({ type: 'Feature', id: member.member, geometry: { type: 'Point', coordinates: [member.lon, member.lat] }, properties: { id: member.member, name_zh: member.name, name_en: member.name, corps: member.corps, state: member.answered === null ? 'on-duty' : member.answered ? 'answered' : 'unanswered' } })) }
  }],
  ['POST', /^\/preview$/, ({ body }) => preview(Number(body.discharge_m3s))],
  ['POST', /^\/preview\/release$/, ({ body }) => release(body.level as Level)],
  ['POST', /^\/activations$/, ask],
  ['POST', /^\/activations\/([^/]+)\/confirm$/, (call) => settle(call, 'confirmed')],
  ['POST', /^\/activations\/([^/]+)\/refuse$/, (call) => settle(call, 'refused')],
  ['POST', /^\/activations\/([^/]+)\/break-glass$/, (call) => settle(call, 'confirmed', true)],
  ['POST', /^\/mode$/, ({ body }) => {
    state.mode = body.mode as typeof state.mode
    publish('situation', situation())
    return { mode: state.mode }
  }],
  ['POST', /^\/notices$/, ({ body }) => ({ id: `notice-${state.journal}`, members: (body.members as string[]).length })],
  ['GET', /^\/tasks\/([^/]+)\/deliveries$/, ({ match }) => page([{ member: tasks.get(match[1]!)?.holder ?? '', channel: 'app', state: 'delivered' }, { member: tasks.get(match[1]!)?.holder ?? '', channel: 'sms', state: 'sent' }])],
  ['GET', /^\/duty$/, () => page(members.slice(0, 12).map((one, i) => ({ role: one.roles[0]!, place: `cell-${i * 4 + 1}`, owner: i === 7 ? null : { member: one.member, name: one.name, phone: one.phone }, deputy: null })))],
  ['GET', /^\/floods$/, () => page(floods)],
  ['POST', /^\/drills$/, ({ body }) => {
    const flood = floods.find((item) => item.id === body.flood)
    if (!flood) throw new Refusal(422, `没有洪水 ${String(body.flood)}`)
    const drill: Drill = { id: `drl-${state.journal}`, flood: flood.id, state: 'running', speed: Number(body.speed), now: flood.approach, start: flood.approach, end: flood.end, level: 'none', seed: 7, playbook: 'dev', chain_sha256: null }
    drills.set(drill.id, drill)
    state.drill = { id: drill.id, flood: drill.flood, state: 'running', speed: drill.speed }
    publish('situation', situation())
    return drill
  }],
  ['GET', /^\/drills$/, () => page([...drills.values()].reverse())],
  ['GET', /^\/drills\/([^/]+)$/, ({ match }) => drills.get(match[1]!) ?? new Refusal(404, '没有这场演练')],
  ['POST', /^\/drills\/([^/]+)\/(pause|speed|stop)$/, ({ match, body }) => {
    const drill = drills.get(match[1]!)
    if (!drill) throw new Refusal(404, '没有这场演练')
    if (match[2] === 'pause') drill.state = body.paused ? 'paused' : 'running'
    if (match[2] === 'speed') drill.speed = Number(body.speed)
    if (match[2] === 'stop') drill.state = 'done'
    state.drill = drill.state === 'done' ? null : { id: drill.id, flood: drill.flood, state: drill.state, speed: drill.speed }
    publish('situation', situation())
    return drill
  }],
]

export async function handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const path = decodeURIComponent(url.pathname.replace('/api/v1', ''))
  if (path === '/stream') return listen(request, response)
  for (const [method, pattern, answer] of routes) {
    const match = request.method === method ? pattern.exec(path) : null
    if (!match) continue
    try {
      const result = answer({ url, body: await json(request), me, match: [...match] })
      if (result instanceof Refusal) throw result
      return send(response, result === undefined ? 204 : 200, result)
    } catch (cause) {
      if (cause instanceof Refusal) return refuse(response, cause.status, cause.detail)
      return refuse(response, 500, String(cause))
    }
  }
  refuse(response, 404, `${request.method} ${path}`)
}

function listen(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  response.write(': open\n\n')
  listeners.add(response)
  const alive = setInterval(() => response.write(': alive\n\n'), 5_000)
  request.on('close', () => {
    clearInterval(alive)
    listeners.delete(response)
  })
}

// The sample river rises a little and a task is answered now and then.
setInterval(() => {
  if (listeners.size === 0) return
  state.flow += 1.5
  publish('situation', situation())
  const waiting = [...tasks.values()].find((task) => task.status === 'issued' || task.status === 'delivered')
  if (waiting) act(waiting, { status: 'acknowledged', acknowledged_at: iso() })
}, 4_000).unref()

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.statusCode = status
  response.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json')
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
const refuse = (response: ServerResponse, status: number, detail: string): void => send(response, status, { type: 'about:blank', title: 'refused', status, detail, id: 'dev-1' })

async function json(request: IncomingMessage): Promise<Body> {
  let text = ''
  for await (const piece of request) text += piece
  try {
    return text ? (JSON.parse(text) as Body) : {}
  } catch {
    return {}
  }
}
