// Sample state of a synthetic reach, typed as the server's answers. It moves: gauges drift, tasks are answered.
import type {
  Activation, Alarm, Attention, EvacuationView, Flood, Freshness, Gauge, Level, Me, Member, Preview, Report, Series, Situation, Task, TaskCounts, TaskStatus, Why,
} from '../src/api/types'
import { dice } from './dice.ts'
import { at, villages } from './geo.ts'
import instructions from './instructions.json' with { type: 'json' }

type Row = (typeof instructions)[number]
const roll = dice(7)
const pickOf = <T>(list: T[]): T => list[Math.floor(roll() * list.length)]!
const LEVELS: Level[] = ['none', 'blue', 'yellow', 'orange', 'red']
const BREAKPOINTS: Situation['breakpoints'] = [
  { level: 'blue', discharge_m3s: 4000 }, { level: 'yellow', discharge_m3s: 6000 }, { level: 'orange', discharge_m3s: 8000 }, { level: 'red', discharge_m3s: 15000 },
]
const BANDS = ['P', 'B4', 'B6', 'B8', 'B10', 'B15', 'B22']
const BAND_FROM = [2500, 4000, 6000, 8000, 10000, 15000, 20000]

export const iso = (shift_s = 0): string => new Date(Date.now() + shift_s * 1000).toISOString()

export const people: Record<string, Me> = {
  duty: { name: '张某', role: 'duty', member_id: null, demo: true, may: ['preview', 'activate', 'confirm', 'break-glass', 'task', 'order', 'drill', 'alarm'] },
  second: { name: '王某', role: 'commander', member_id: null, demo: true, may: ['preview', 'activate', 'confirm', 'break-glass', 'task', 'order', 'drill', 'alarm', 'reveal'] },
  viewer: { name: '观摩席', role: 'viewer', member_id: null, demo: true, may: [] },
}

const ROLES: Record<string, [string, string]> = {
  hq_duty_office: ['指挥部值班室', 'HQ duty office'], commander: ['指挥长', 'Commander'], river_bureau: ['河务部门', 'River bureau'], river_bureau_section: ['河务工区', 'Bureau section'],
  patrol_team: ['巡堤查险队', 'Patrol team'], town: ['乡镇', 'Town'], professional_rescue_team: ['专业抢险队', 'Rescue team'], grid_member: ['网格员', 'Grid member'], grid_leader: ['网格长', 'Grid leader'],
  transport: ['交通', 'Transport'], it_support: ['信息保障', 'IT support'], health: ['卫健', 'Health'], hydrology_station: ['水文测站', 'Hydrometric station'], village: ['村级', 'Village'], police: ['公安', 'Police'],
  warehouse_keeper: ['仓库', 'Depot'], boat_rescue_team: ['冲锋舟队', 'Boat team'],
}
const roleName = (role: string): { zh: string; en: string } => ({ zh: ROLES[role]?.[0] ?? role, en: ROLES[role]?.[1] ?? role })

const SURNAMES = '李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗'.split('')
const masked = (): { name: string; phone: string } => ({ name: `${pickOf(SURNAMES)}某某`, phone: `138****${String(1000 + Math.floor(roll() * 9000))}` })

export const members: Member[] = Array.from({ length: 294 }, (_, i) => {
  const m = 20 + (i * 14_200) / 294
  const [lon, lat] = at(m, roll() * 120 - 60)
  const chance = roll()
  const id = `mbr-${String(i + 1).padStart(3, '0')}`
  return { id, member: id, ...masked(), corps: 'rural', roles: [i % 5 === 0 ? 'grid_leader' : 'grid_member'], post: `cell-${String(Math.floor(m / 836.5) * 4 + 1).padStart(2, '0')}`,
    lon: lon!, lat: lat!, has_app: chance < 0.97, answered: chance > 0.93 ? false : chance < 0.1 ? null : true }
})

const SCOPES: Record<string, number> = { levee_segment: 9, vulnerable_spot: 4, floodplain_village: 5, community: 4, river_training: 2, floodplain_farm: 3, warehouse: 3, shelter: 5, all: 6 }
const placeOf = (row: Row, i: number): Task['place'] => {
  if (row.scope === 'hq') return { id: 'hq', kind: 'hq', name: { zh: '前线指挥部', en: 'Front command' }, lon: 113.64, lat: 34.88 }
  const m = 400 + ((i * 1570) % 13_400)
  const [lon, lat] = at(m)
  const n = Math.floor(m / 836.5) * 4 + 1
  return { id: `cell-${String(n).padStart(2, '0')}`, kind: 'cell', name: { zh: `${n} 号网格`, en: `Grid ${n}` }, lon: lon!, lat: lat!, chainage_from_m: m, chainage_to_m: m + 800 }
}

let serial = 0
function makeTask(row: Row, i: number, status: TaskStatus): Task {
  serial += 1
  const owner = members[(serial * 13) % members.length]!
  const age = 600 + Math.floor(roll() * 5400)
  const order: TaskStatus[] = ['issued', 'delivered', 'acknowledged', 'on-site', 'done', 'verified']
  const reached = order.indexOf(status)
  const stamp = (step: number): string | null => (reached >= step ? iso(-age + step * 140) : null)
  return {
    id: `tsk-${serial}`, code: row.code, title: { zh: row.zh, en: row.en }, text: row.text, level: row.level as Level, status, role: row.role, role_name: roleName(row.role), place: placeOf(row, i),
    owner: { member: owner.member, name: owner.name, phone: owner.phone }, deputy: null, holder: owner.member, created_at: iso(-age), issued_at: iso(-age),
    due_at: iso(row.due * 60 - age), answer_due_at: iso(300 - age), delivered_at: stamp(1), acknowledged_at: stamp(2), arrived_at: stamp(3), done_at: stamp(4), verified_at: stamp(5),
    declined: status === 'declined' ? { reason: 'road-cut', text: '黄河路口积水', by: owner.member, at: iso(-120) } : null, escalations: status === 'escalated' ? 1 : 0,
    life_safety: row.category === 'evacuate', retreat: ['B8-018', 'H-038', 'H-044', 'H-048', 'H-049'].includes(row.code), preauthorised: row.pre, authority: row.authority, evidence: row.evidence.split('|'), basis: row.basis, numbers_basis: 'default', our_default: row.basis === 'default',
    repeat_min: null, round: 1, category: row.category, phase: row.phase, band: row.band,
  }
}

const MIX: TaskStatus[] = ['acknowledged', 'on-site', 'done', 'verified', 'delivered', 'on-site', 'acknowledged', 'done', 'issued', 'on-site']
const firing = (bands: string[]): Row[] => {
  const rows = instructions.filter((row) => bands.includes(row.band))
  const gone = new Set(rows.flatMap((row) => row.sup))
  return rows.filter((row) => !gone.has(row.code))
}

export const tasks = new Map<string, Task>()
for (const row of firing(['P', 'B4'])) {
  for (let i = 0; i < (SCOPES[row.scope] ?? 1); i += 1) {
    const status: TaskStatus = serial === 40 || serial === 77 ? 'overdue' : serial === 90 ? 'escalated' : serial === 55 ? 'declined' : pickOf(MIX)
    const task = makeTask(row, i + serial, status)
    tasks.set(task.id, { ...task, level: 'blue' })
  }
}

const counts = (): TaskCounts => {
  const out: TaskCounts = { total: 0, draft: 0, issued: 0, delivered: 0, acknowledged: 0, on_site: 0, done: 0, verified: 0, declined: 0, overdue: 0, escalated: 0, withdrawn: 0 }
  for (const task of tasks.values()) {
    out.total += 1
    out[task.status.replace('-', '_') as keyof TaskCounts] += 1
  }
  return out
}

const FRESH: Record<Freshness, number> = { fresh: 140, late: 3120, stale: 12_600, missing: 0 }
const gauge = (station: string, zh: string, en: string, quantity: Gauge['quantity'], value: number | null, trend: number, freshness: Freshness = 'fresh', quality: Gauge['quality'] = 'good'): Gauge => ({
  station, name: { zh, en }, quantity, unit: quantity === 'discharge' ? 'm3/s' : quantity === 'stage' ? 'm' : 'mm', ...(quantity === 'stage' ? { datum: 'dagu' } : {}),
  value, time: value === null ? null : iso(-FRESH[freshness]), age_s: value === null ? null : FRESH[freshness], freshness, quality, causes: quality === 'suspect' ? ['spike'] : [], trend_per_h: value === null ? null : trend, interval_s: 600,
})

export const state = {
  mode: 'emergency' as Situation['mode'], inForce: 'blue' as Level, since: iso(-5400), proposed: 'blue' as Level, activation: null as Activation | null, journal: 4200, flow: 4260, drill: null as Situation['drill'],
}

export const gauges = (): Gauge[] => [
  gauge('huayuankou', '花园口', 'Huayuankou', 'discharge', Math.round(state.flow), 62), gauge('huayuankou', '花园口', 'Huayuankou', 'stage', 92.84, 0.03),
  gauge('xiaolangdi', '小浪底', 'Xiaolangdi', 'discharge', 3900, 0), gauge('heishiguan', '黑石关', 'Heishiguan', 'discharge', 410, 24, 'fresh', 'estimated'),
  gauge('wuzhi', '武陟', 'Wuzhi', 'discharge', 186, -2, 'late'), gauge('jiahetan', '夹河滩', 'Jiahetan', 'discharge', 3710, 40, 'stale'), gauge('hekoucun', '河口村', 'Hekoucun', 'discharge', null, 0, 'missing'),
  gauge('huayuankou', '花园口', 'Huayuankou', 'rain', 3.5, 0.5, 'fresh', 'manual'),
]

export function situation(): Situation {
  const done = counts()
  return {
    scope: 'live', demo: true,
    level: { proposed: state.proposed, in_force: state.inForce, since: state.since, flapping: false, lowering: state.proposed === 'none', prepare_for_m3s: null,
      reason: { zh: '花园口实测 4 260 m³/s ≥ 4 000 m³/s，持续 3 次', en: 'Huayuankou measured 4 260 m³/s ≥ 4 000 m³/s, three times running' }, proposed_reason: { zh: '花园口实测 4 260 m³/s', en: 'Huayuankou measured 4 260 m³/s' } },
    band: 'B4', mode: state.mode, clock: { kind: 'demo', now: iso(), speed: 1 }, gauges: gauges(),
    links: [
      { name: 'telemetry', label: { zh: '遥测', en: 'Gauges' }, ok: 41, total: 42, state: 'ok' }, { name: 'stones', label: { zh: '智能石头', en: 'Smart stones' }, ok: 246, total: 249, state: 'degraded' },
      { name: 'channels', label: { zh: '消息通道', en: 'Channels' }, ok: 4, total: 4, state: 'ok' },
    ],
    answer_rate: { called: 294, answered: 271, rate: 271 / 294, median_s: 74 }, tasks: done, activation: state.activation,
    event: { id: 'evt-1', opened_at: iso(-5400), edition: 'v2026.1' }, breakpoints: BREAKPOINTS,
    playbook: { edition: 'v2026.1', instructions: 390, note: { zh: '默认分级依据流域预案，待区指挥部确认', en: 'Default bands after the basin plan, to be confirmed by the district HQ' } },
    drill: state.drill, journal: { last: state.journal },
  }
}

export const alarms = new Map<string, Alarm>([
  { id: 'alm-1', severity: 'critical', kind: 'hazard', cause: 'rep-1', title: { zh: '马渡 85 坝 坦石坍塌 12 m', en: 'Madu dam 85: slope stone slumped over 12 m' }, count: 1, since: iso(-660), last: iso(-660), state: 'new', acked_by: null, acked_at: null, shelved_until: null },
  { id: 'alm-2', severity: 'warning', kind: 'stone', cause: 'stone-062', title: { zh: '花园口 121 坝 3 号石头位移 0.18 m/10 min', en: 'Huayuankou dam 121, stone 3: moved 0.18 m in 10 min' }, count: 2, since: iso(-400), last: iso(-360), state: 'new', acked_by: null, acked_at: null, shelved_until: null },
  { id: 'alm-3', severity: 'info', kind: 'gauge-late', cause: 'wuzhi.discharge', title: { zh: '武陟站迟报 52 分', en: 'Wuzhi is 52 min late' }, count: 1, since: iso(-1600), last: iso(-60), state: 'new', acked_by: null, acked_at: null, shelved_until: null },
  { id: 'alm-4', severity: 'warning', kind: 'task-overdue', cause: 'B4-020', title: { zh: '3 项任务超时未签收', en: '3 tasks overdue without an answer' }, count: 3, since: iso(-900), last: iso(-300), state: 'acked', acked_by: '王某', acked_at: iso(-200), shelved_until: null },
].map((alarm) => [alarm.id, alarm as Alarm]))

export const reports: Report[] = [{ id: 'rep-1', kind: 'hazard', type: 'collapse', grade: 3, place: { chainage: 10_150, side: 'water', name: { zh: '马渡险工', en: 'Madu works' } }, observed_at: iso(-680), received_at: iso(-660), text: '坦石坍塌 12 m', by: { member: 'mbr-210', ...masked() }, photos: [], state: 'open', seen_by: null, place_from: null }]

const CATEGORIES: [string, string, string][] = [['disabled', '残疾人', 'Disabled'], ['elderly', '独居老人', 'Elderly alone'], ['pregnant', '孕产妇', 'Pregnant'], ['worker', '滩区作业人员', 'Floodplain worker'], ['patient', '慢病用药', 'Patient'], ['child', '留守儿童', 'Child']]
const attention: Attention[] = Array.from({ length: 81 }, (_, i) => {
  const [category, zh, en] = CATEGORIES[i % CATEGORIES.length]!
  const village = villages[i % villages.length]!
  const [lon, lat] = at(village[2] + roll() * 300, 700)
  const state: Attention['state'] = i % 5 === 0 ? 'uncontacted' : i % 7 === 1 ? 'needs-help' : i % 4 === 2 ? 'moving' : 'evacuated'
  return { id: `att-${i + 1}`, name: `${pickOf(SURNAMES)}某某`, category, category_name: { zh, en }, village: village[0], village_name: { zh: village[0], en: village[0] }, cell: `cell-${String((i % 17) * 4 + 1).padStart(2, '0')}`, carer: `${pickOf(SURNAMES)}某`, lon: lon!, lat: lat!, state, need: state === 'needs-help' ? '需车辆' : null, distance_m: Math.round(400 + roll() * 2600) }
})
export const evacuation: EvacuationView = {
  attention,
  farmers: ([['field', '大田作物', 'Field crops', 214, 160], ['greenhouse', '蔬菜大棚', 'Greenhouses', 96, 78], ['orchard', '果树苗木', 'Orchards', 58, 42], ['fish', '水产养殖', 'Fish ponds', 31, 19], ['animals', '畜禽养殖', 'Livestock', 22, 13]] as const)
    .map(([id, zh, en, households, notified]) => ({ class: id, name: { zh, en }, households, notified, under_way: Math.floor((households - notified) / 2), asked: 0 })),
  villages: villages.map(([zh, en, along], i) => {
    const [lon, lat] = at(along, 700)
    return { id: `village-${i + 1}`, name: { zh, en }, lon: lon!, lat: lat!, people: 800 + i * 130, state: i === 0 ? 'done' as const : 'under-way' as const, tasks: { drafts: 0, released: 6, answered: i === 0 ? 6 : 2, stuck: 0, done: i === 0 ? 6 : 0 }, evacuated: null, evacuated_reason: { zh: '没有清点人数的回报', en: 'no headcount has been reported' } }
  }),
  basis: { zh: '按任务推定', en: 'derived from tasks' },
}

export function preview(q: number): Preview {
  const level = [...BREAKPOINTS].reverse().find((point) => q >= point.discharge_m3s)?.level ?? 'none'
  const bands = BANDS.filter((_, i) => q >= BAND_FROM[i]!)
  const rows = firing(bands)
  const now = new Set([...tasks.values()].map((task) => task.code))
  const fires = rows.map((row) => ({ code: row.code, band: row.band, phase: row.phase, role: row.role, role_name: roleName(row.role), scope: row.scope, trigger: row.trigger, level: row.level as Level, title: { zh: row.zh, en: row.en }, places: SCOPES[row.scope] ?? 1, our_default: row.basis === 'default' }))
  const planned = rows.flatMap((row) => Array.from({ length: SCOPES[row.scope] ?? 1 }, (_, i) => ({ code: row.code, place: placeOf(row, i * 3 + row.code.length), role: row.role, owner: null })))
  const codes = new Set(rows.map((row) => row.code))
  const name = { none: '未达预警', blue: '蓝色（Ⅳ 级）', yellow: '黄色（Ⅲ 级）', orange: '橙色（Ⅱ 级）', red: '红色（Ⅰ 级）' }[level]
  return {
    id: `prv-${q}`, discharge_m3s: q, forecast: null, level, reason: { zh: `花园口 ${q} m³/s → ${name}`, en: `Huayuankou ${q} m³/s → ${level}` }, band: bands.at(-1) ?? '',
    instructions: { fires, waits: [{ code: 'B10-031', title: { zh: '堤脚水深超限加密巡查', en: 'Denser patrol at deep toe' }, unknown: ['levee_toe_depth'] }], excluded: 390 - fires.length - 1 },
    tasks: planned, messages: { channels: [{ channel: 'app', messages: planned.length, people_without: 6 }], samples: fires.slice(0, 5).map((row) => ({ code: row.code, title: row.title, to: { member: 'mbr-1', ...masked() }, place: { zh: '马渡险工', en: 'Madu works' }, copies: row.places, life_safety: false, text: `马渡险工：${row.title.zh}。19:00前完成，报指挥长` })) }, diff: { new: [...codes].filter((code) => !now.has(code)), changed: [...codes].filter((code) => now.has(code)).slice(0, 6), kept: [...codes].filter((code) => now.has(code)).slice(6), withdrawn: [...now].filter((code) => !codes.has(code)) },
    counts: { instructions: fires.length, tasks: planned.length, people: Math.min(294, planned.length), unowned: 3, released_by_level: { level, instructions: fires.length, tasks: planned.length, people: Math.min(294, planned.length) } }, inundation: null,
    inundation_reason: { zh: '没有该流量的淹没情景，需先运行二维模型', en: 'No stored scenario for this discharge; run the 2D model first' },
  }
}

/** Hourly flood wave of the sample, m³/s, by hours from now. */
const wave = (h: number): number => 2900 + 1360 * Math.max(0, (h + 48) / 48) ** 2
export function series(id: string): Series | null {
  const [station, quantity] = id.split('.')
  if (!station || (quantity !== 'discharge' && quantity !== 'stage')) return null
  const scale = station === 'huayuankou' ? 1 : station === 'xiaolangdi' ? 0.9 : station === 'wuzhi' ? 0.045 : 0.1
  const value = (q: number): number => (quantity === 'discharge' ? q * scale : 93.82 + 1.02 * Math.log(q / 22_300) + 0.7)
  const digits = quantity === 'discharge' ? 0 : 2
  const points: Series['points'] = []
  const start = Math.floor(Date.now() / 600_000) * 600_000
  for (let i = -288; i <= 0; i += 1) {
    if (i > -190 && i < -178) continue
    const q = i >= -120 && i <= -112 ? 'estimated' : i === -60 ? 'manual' : i === -90 ? 'bad' : 'good'
    const wobble = 1 + 0.004 * Math.sin(i / 2.3)
    points.push({ t: new Date(start + i * 600_000).toISOString(), v: Number((value(wave(i / 6)) * (i === -90 ? 1.35 : quantity === 'stage' ? 1 : wobble)).toFixed(digits)), q })
  }
  const peakAt = 34
  const ahead = (h: number): number => 4260 + 3440 * Math.exp(-(((h - peakAt) / 15) ** 2)) - 3440 * Math.exp(-((peakAt / 15) ** 2))
  const forecast = Array.from({ length: 73 }, (_, h) => ({ t: new Date(start + h * 3_600_000).toISOString(), v: value(ahead(h)), low: value(ahead(h) * (1 - 0.0028 * h)), high: value(ahead(h) * (1 + 0.0022 * h)) }))
  return { series: id, unit: quantity === 'discharge' ? 'm3/s' : 'm', ...(quantity === 'stage' ? { datum: 'dagu' } : {}), points, forecast: station === 'huayuankou' ? { issued_at: iso(-1800), method: { zh: '马斯京根演算，80% 区间', en: 'Muskingum routing, 80 % band' }, points: forecast } : null }
}

export const why = (task: Task): Why => ({ task: task.id, steps: [
  { kind: 'reading', at: iso(-5600), fact: 4101, text: { zh: '花园口流量 4 260 m³/s，RTU 1 寄存器 4', en: 'Huayuankou discharge 4 260 m³/s, unit 1 register 4' } },
  { kind: 'quality', at: iso(-5600), fact: null, text: { zh: '合格：量程、变幅、流量—水位关系均通过', en: 'Good: range, rise and rating checks passed' } },
  { kind: 'rule', at: iso(-5500), fact: 4110, text: { zh: '连续 3 次 ≥ 4 000 m³/s', en: 'Three times running ≥ 4 000 m³/s' } },
  { kind: 'level', at: iso(-5400), fact: 4118, text: { zh: '建议蓝色，Ⅳ 级响应', en: 'Blue proposed, response level IV' } },
  { kind: 'signature', at: iso(-5400), fact: 4120, text: { zh: '张某发起，王某确认', en: 'Asked by Zhang, confirmed by Wang' } },
  { kind: 'clause', at: null, fact: null, text: { zh: `预案 v2026.1 ${task.code}：${task.text}`, en: `Playbook v2026.1 ${task.code}: ${task.title.en}` } },
  { kind: 'duty', at: null, fact: null, text: { zh: `${task.place.name.zh} 当班 ${task.role_name.zh}`, en: `${task.role_name.en} on duty at ${task.place.name.en}` } },
  { kind: 'person', at: task.acknowledged_at, fact: null, text: { zh: `${task.owner?.name ?? '—'} ${task.acknowledged_at ? '已签收' : '尚未签收'}`, en: `${task.owner?.name ?? '—'} ${task.acknowledged_at ? 'acknowledged' : 'has not answered'}` } },
] })

export const floods: Flood[] = [
  { id: '1958-07', name: { zh: '1958 年 7 月洪水', en: 'Flood of July 1958' }, kind: 'historical', source: { zh: '整理自公开水文记载', en: 'After public hydrological records' }, start: '1958-07-15T00:00:00+08:00', end: '1958-07-23T00:00:00+08:00', approach: '1958-07-15T20:00:00+08:00', hours: 192, peak_m3s: 22_300 },
  { id: 'drill_22000_from_1958', name: { zh: '22 000 演练洪水', en: 'Drill flood 22 000' }, kind: 'synthetic', source: { zh: '按 1958 过程缩放，合成', en: 'Scaled from 1958, synthetic' }, start: '2026-07-15T00:00:00+08:00', end: '2026-07-23T00:00:00+08:00', approach: '2026-07-15T20:00:00+08:00', hours: 192, peak_m3s: 22_000 },
]
export { LEVELS }
