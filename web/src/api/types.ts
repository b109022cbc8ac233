// The shapes of the API under /api/v1, as the server sends them. One truth for both sides:
// the server's own test `tests/api_shapes.rs` reads samples against these names.
// Times are RFC 3339 with offset; durations in seconds; discharge in m3/s; stage in m.

export type Level = 'none' | 'blue' | 'yellow' | 'orange' | 'red'
export type Mode = 'normal' | 'holiday' | 'event' | 'emergency'
export type Scope = 'live' | 'drill'
export type Freshness = 'fresh' | 'late' | 'stale' | 'missing'
export type Grade = 'good' | 'manual' | 'estimated' | 'suspect' | 'bad'
export type TaskStatus = 'draft' | 'issued' | 'delivered' | 'acknowledged' | 'on-site' | 'done' | 'verified'
  | 'declined' | 'overdue' | 'escalated' | 'withdrawn'
export type UserRole = 'viewer' | 'duty' | 'hydrologist' | 'commander' | 'deputy' | 'member' | 'director' | 'operator' | 'auditor'

export interface Text { zh: string; en: string }
export interface Page<T> { items: T[]; next: string | null }
/** RFC 9457 */
export interface Problem { type: string; title: string; status: number; detail: string; field?: string; id?: string }

export interface Gauge {
  station: string; name: Text; quantity: 'discharge' | 'stage' | 'rain'; unit: string; datum?: string
  value: number | null          // last usable value; null when there never was one
  time: string | null           // of that value
  age_s: number | null
  freshness: Freshness; quality: Grade; causes: string[]
  trend_per_h: number | null    // change an hour over the last 3 h
  interval_s: number
  stand_in?: { value: number; time: string; from: string; text: Text } | null // used in its place while it is silent
}
export interface Link { name: string; label: Text; ok: number; total: number; state: 'ok' | 'degraded' | 'down' }
export interface AnswerRate { called: number; answered: number; rate: number | null; median_s: number | null }
export interface TaskCounts { total: number; draft: number; issued: number; delivered: number; acknowledged: number; on_site: number
  done: number; verified: number; declined: number; overdue: number; escalated: number; withdrawn: number }

export interface Situation {
  scope: Scope; demo: boolean
  level: { proposed: Level; in_force: Level; since: string | null; reason: Text; proposed_reason: Text; flapping: boolean; lowering: boolean
    /** The discharge that the level in force prepares for, m³/s; null: the river as it is. */
    prepare_for_m3s: number | null }
  band: string                  // P, B4 … of the playbook, '' below all
  mode: Mode
  clock: { kind: 'real' | 'demo' | 'drill'; now: string; speed: number }
  gauges: Gauge[]; links: Link[]; answer_rate: AnswerRate; tasks: TaskCounts
  activation: Activation | null // the one that is asked and not settled
  event: { id: string; opened_at: string; edition: string } | null
  breakpoints: { level: Level; discharge_m3s: number }[]
  playbook: { edition: string; instructions: number; note: Text }
  drill: { id: string; flood: string; state: DrillState; speed: number; held_back?: boolean; behind?: boolean } | null
  journal: { last: number }
}

export interface Person { member: string; name: string; phone: string } // masked unless revealed
export interface Place { id: string; kind: string; name: Text; lon: number; lat: number; chainage_from_m?: number; chainage_to_m?: number }

export interface Activation {
  id: string; level: Level; reason: string; ordered_by: string | null
  prepare_for_m3s: number | null // the discharge of the preview that was asked with
  state: 'asked' | 'confirmed' | 'refused' | 'expired'
  asked_by: string; asked_at: string
  commanders_called: boolean; deputies_may_confirm: boolean; break_glass_offered: boolean; break_glass: boolean
  expires_at: string; settled_by: string | null; settled_at: string | null; settled_reason: string | null
  instructions: number; tasks: number; people: number
  ended?: number                // orders that it takes back
}
/** POST /preview/release {level, prepare_for_m3s}: what the confirmation would send now, and how many orders it would take back. Sends nothing. */
export interface ReleaseCount { level: Level; instructions: number; tasks: number; people: number; ended: number }

export interface Task {
  id: string; code: string; title: Text; text: string; level: Level; status: TaskStatus
  role: string; role_name: Text; place: Place; owner: Person | null; deputy: Person | null
  holder: string | null         // member id of who has it now (owner, or deputy after escalation or refusal)
  created_at: string; issued_at: string | null; due_at: string | null; answer_due_at: string | null
  delivered_at: string | null; acknowledged_at: string | null; arrived_at: string | null; done_at: string | null; verified_at: string | null
  declined: { reason: string; text: string | null; by: string; at: string } | null
  hazard?: string | null        // the report of the hazard that it answers
  assigned?: { by: string; at: string; reason: string } | null   // an officer named the owner: POST /tasks/{id}/assign {member, reason}
  escalations: number; preauthorised: boolean
  life_safety: boolean          // warns people in danger, recalls them or moves them out
  retreat: boolean              // orders the one who has it out of danger at once
  authority: string; evidence: string[]; basis: string; numbers_basis: string; our_default: boolean
  repeat_min: number | null; round: number
  category: string; phase: string; band: string
  water?: TaskWater             // the time that the water leaves for it
}
/** Arrival at the task's place − travel − work. `comes`, `there`, or why there is no slack. */
export interface TaskWater { word: 'comes' | 'there' | 'dry' | 'river' | 'over' | 'unknown'; slack_min: number | null; leave_by: string | null; at: string | null; travel_min: number | null; work_min: number | null; words: Text }

/** The chain of evidence behind a task, first cause first. */
export interface Why { task: string; steps: { kind: 'reading' | 'quality' | 'rule' | 'level' | 'signature' | 'clause' | 'duty' | 'person'; at: string | null; fact: number | null; text: Text }[] }

export interface InstructionRef { code: string; band: string; phase: string; role: string; role_name?: Text; scope: string; trigger: string; trigger_words?: Text; level: Level; title: Text
  places: number; our_default: boolean }
export interface Preview {
  id: string; discharge_m3s: number; forecast: { discharge_m3s: number; hours: number } | null
  level: Level; reason: Text; band: string
  instructions: { fires: InstructionRef[]; waits: { code: string; title: Text; unknown: string[]; unknown_names?: Text[] }[]; excluded: number }
  tasks: { code: string; place: Place; role: string; owner: Person | null }[]
  /** What people would get. `people_without`: owners whom the channel does not reach. */
  messages: { channels: { channel: string; messages: number; people_without: number }[]
    samples: { code: string; title: Text; to: Person; place: Text; copies: number; life_safety: boolean; text: string }[] }
  diff: { new: string[]; changed: string[]; kept: string[]; withdrawn: string[] } // instruction codes against now
  /** All that the discharge calls for. `released_by_level`: what a release now would send, without what is out, with what other signals ask for. */
  counts: { instructions: number; tasks: number; people: number; unowned: number; released_by_level: { level: Level; instructions: number; tasks: number; people: number; ended?: number } }
  inundation: Inundation | null; inundation_reason: Text | null
}
/** AIDR Guideline 7-3: H1 passable with care … H6 buildings may fail. */
export interface Hazard { class: 'H1' | 'H2' | 'H3' | 'H4' | 'H5' | 'H6'; words: Text }
export interface Flooded { id: string; name: Text; arrival_min: number | null; depth_m: number; speed_ms: number; hazard: Hazard | null; people: number | null; wet_share: number; of: string | null }
export interface FloodedClass { class: string; all: number; wet: number; people: number; arrival_min: number | null; depth_m: number; hazard: Hazard | null; ids: string[] }
export interface BreachSite { id: string; name: Text | null }
/** What a discharge would flood. Minutes and hours count from the moment when the discharge begins to rise. */
export interface Inundation {
  scenario: WaterScenario; grid: WaterGrid; hours: number[]; rise_h: number; base_m3s: number; area_km2: number; residents: number
  villages: Flooded[]; households: FloodedClass[]; farmers: FloodedClass[]; farms: Flooded[]; works: Flooded[]; dams: Flooded[]; cells: Flooded[]; posts: Flooded[]; shelters: Flooded[]; depots: Flooded[]
  routes: { id: string; name: Text; village: string; shelter: string; rank: number; cut_at_h: number | null }[]
  no_way_out: { village: string; cut_at_h: number; instead: string | null; last_h: number | null; words: Text }[]
  levee: { place: string; name: Text | null; is_levee: boolean; toe_depth_m: number; toe_arrival_min: number | null; freeboard_m: number; overtops: boolean; crest_m: number }[]
  words: { kind: 'arrival' | 'mark'; place: string; zh: string; en: string; minutes?: number }[]
  /** Where a breach may be assumed. */
  breach_sites: BreachSite[]
  /** Which guideline the hazard classes follow. */
  hazard_basis: string
}
/** GET /twin/now: the water that goes with the river now and as forecast. */
export interface WaterComing { threshold_m3s: number | null; by_breach: boolean; crossed_at: string | null; lag_min: number; at: string | null; in_min: number | null; is_there: boolean; depth_m: number }
export interface TwinNow {
  state: 'live' | 'old' | 'unknown'; words: Text; at: string; made_at: string | null; age_s: number | null
  discharge: { m3s: number; at: string; age_s: number; looked_up_m3s: number } | null; forecast: { issued_at: string } | null; peak: { m3s: number; at: string } | null
  gauge: { station: string; word: 'silent' | 'fits' | 'raised'; difference_m: number | null; shift_m3s: number; words: Text } | null
  grid: { cell_m: number; synthetic: boolean; highest_m3s: number; beyond: boolean } | null; basis: Text | null
  places: (WaterComing & { id: string; kind: string; name: Text; depth_now_m: number | null })[]; breaches: { site: string | null; name: Text | null; since: string }[]; ways: (WaterComing & { id: string; leaves: string; is_last: boolean })[]
  tasks: (TaskWater & { id: string })[]
}
/** POST /twin/runs {discharge_m3s, breach?, members?} and GET /twin/runs/{id}: a run on the finest grid, or a spread of `members` runs, in the background. */
export interface TwinRun { id: number; kind: 'twin-run' | 'twin-spread'; discharge_m3s: number; breach: string | null; members: number | null; state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'; progress: number; cell_m: number; asked_by: string; asked_at: string; inundation?: Inundation; spread?: Spread; why: string | null }
/** What the members of a spread say of a place. `chance`: the share of them that bring water, no forecast probability. */
export interface SpreadPlace { id: string; kind: 'village' | 'farm' | 'post' | 'shelter' | 'depot' | 'grid'; name: Text; chance: number; median_m: number; ninth_m: number; earliest_min: number | null }
export interface Spread { discharge_m3s: number; breach: string | null; hours: number; members: { discharge_m3s: number; roughness: number; breach_width_m?: number | null; breach_growth_h?: number | null }[]; volume_error: number; places: SpreadPlace[]; words: Text }
/** `discharge_m3s`: of the water that is shown; above the library that of its greatest scenario. `breach_reported`: nobody assumed the breach, it is reported. */
export interface WaterScenario { discharge_m3s: number; breach: string | null; breach_reported?: boolean; rests: 'exact' | 'between' | 'below' | 'above' | 'run'; run: number | null; words: Text; highest_froude: number }
export interface WaterGrid { cell_m: number; columns: number; rows: number; bounds: number[]; synthetic: boolean; scheme: Text }

export interface Report { id: string; kind: 'hazard' | 'patrol' | 'task' | 'sos' | 'tip'; type: string; grade: 1 | 2 | 3
  place: { chainage?: number; side?: 'water' | 'crest' | 'land'; lon?: number; lat?: number; name: Text | null }
  observed_at: string; received_at: string; text: string | null; by: Person; photos: { id: string; url: string }[]
  /** Where the place is from when the report itself named none: the duty post, where he was last, headquarters. */
  place_from: 'duty' | 'last-known' | 'hq' | null; state: 'open' | 'resolved' | 'false-alarm'; seen_by: string | null }

/** One try to get a picture from a camera; `fault` says why there is none. */
export interface Shot { id: string; camera: string | null; name: Text | null; alarm: string | null; at: string; by: string; reason: string; metres: number | null; sha256: string | null; url: string | null; fault: string | null }
export interface Alarm { id: string; severity: 'info' | 'warning' | 'critical'; kind: string; cause: string; title: Text; count: number
  since: string; last: string; state: 'new' | 'acked' | 'shelved' | 'closed'; acked_by: string | null; acked_at: string | null; shelved_until: string | null }
/** An alarm of water at a place where the member of the phone is or goes to. */
export interface LeaveAlarm extends Alarm { place: Task['place'] }

export interface Point { t: string; v: number | null; q: Grade; n?: number; min?: number; max?: number; by_hand?: boolean; causes?: string[] }
/** A value set by hand; `original` is what the device gave. */
export interface Amendment { series: string; time: string; value: number | null; quality: Grade; was: { value: number | null; quality: Grade } | null; original: { value: number | null; quality: Grade } | null; revision: number; by: string; at: string; reason: string }
export interface Series { series: string; unit: string; datum?: string; points: Point[]; next?: string | null; amendments?: Amendment[]; forecast: { issued_at: string; method: Text; plans?: { station: string; source: string; variable: string; issued_at: string; age_s: number; until: string }[]; points: { t: string; v: number; low: number; high: number }[] } | null }

export interface Me { name: string; role: UserRole; member_id: string | null; person?: { name: string; roles: Text[]; post: Text } | null; demo: boolean; may: string[] } // may: preview, activate, confirm, break-glass, task, report, reveal, drill, admin

/** GET /stream: Server-Sent Events with numeric ids; Last-Event-ID replays. */
export type StreamEvent =
  | { event: 'situation'; data: Situation }
  | { event: 'proposal'; data: { level: Level; from: Level; reason: Text; at: string } }
  | { event: 'activation'; data: Activation }
  | { event: 'task'; data: Task }
  | { event: 'report'; data: Report }
  | { event: 'alarm'; data: Alarm }
  | { event: 'leave'; data: { items: LeaveAlarm[] } }
  | { event: 'resync'; data: { reason: string } }

export interface Attention { id: string; name: string; category: string; category_name: Text; village: string; village_name: Text | null; cell: string; carer: string
  lon: number; lat: number; state: 'uncontacted' | 'needs-help' | 'moving' | 'evacuated'; need: string | null; distance_m: number | null }
/** Growers of a class: `notified` their task is done, `under_way` answered, `asked` released; the rest has no task. */
export interface FarmerClass { class: string; name: Text; households: number; asked: number; under_way: number; notified: number }
/** A village under fired evacuation rows or an order; `done` when it is registered as empty. */
export interface VillageState { id: string; name: Text; lon: number; lat: number; people: number | null
  state: 'proposed' | 'asked' | 'stuck' | 'under-way' | 'done'
  tasks: { drafts: number; released: number; answered: number; stuck: number; done: number }
  evacuated: number | null; evacuated_reason: Text }
export interface EvacuationView { attention: Attention[]; farmers: FarmerClass[]; villages: VillageState[]; basis: Text }

/** GET /demo/links: one-time links into the other accounts of a demo. */
export interface DemoLink { name: string; role: UserRole; member_id: string | null; link: string }

// Added for the wall and the drill console.
/** A member of the grid as the wall sees him: GET /members. Positions are WGS-84. */
export interface Member extends Person { id: string; corps: string; roles: string[]; post: string; lon: number | null; lat: number | null; has_app: boolean
  answered: boolean | null } // null: not called
/** GET /tasks/{id}/deliveries: attempts to reach people. */
export interface Delivery { member: string; channel: string; state: string }
/** POST /notices {members, text}: one message a person; the channels follow the ladder. */
export interface Notice { id: string; members: number; deliveries?: Delivery[] }

/** GET /floods: what a drill can replay; `approach`: where a drill begins unless told otherwise. */
export interface Flood { id: string; name: Text; kind: 'historical' | 'synthetic'; source: Text; start: string; end: string; approach: string; hours: number; peak_m3s: number }
/** interrupted: the server went down in the middle of it. */
export type DrillState = 'running' | 'paused' | 'done' | 'interrupted'
/** POST /drills {flood, speed, start?, seed?} and GET /drills/{id}; its post is read with `?drill=<id>` on every other call. */
export interface Drill { id: string; flood: string; state: DrillState; speed: number; held_back?: boolean; behind?: boolean; now: string; start: string; end: string; level: Level; seed: number
  playbook: string; chain_sha256: string | null; injects?: number } // injects: while its post can be looked into
/** GET /drills/{id}/targets {items, kinds}: what a director can break. */
export type InjectGroup = 'gauge' | 'stone' | 'people' | 'place'
export interface InjectTarget { id: string; group: InjectGroup; name: Text; kinds: string[] }
export interface InjectTargets { items: InjectTarget[]; kinds: { id: string; name: Text }[] }
/** GET /drills/{id}/injects; POST /drills/{id}/inject {target, kind, value?, at_s?, for_s?} answers {number, injection}. */
export interface InjectLine { number: number; injection: { target: string; kind: string; value?: number; from: string; for_s?: number }; name: Text; kind_name: Text; reaction: Text }

/** GET /duty: one row for each duty and place; `owner` null is a vacancy. */
export interface DutyRow { role: string; role_name?: Text; place: string; place_name?: Text; owner: Person | null; deputy: Person | null }
