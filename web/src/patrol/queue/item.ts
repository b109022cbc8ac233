// What waits on the phone, and the only moves it can make. Pure: no storage, no network, no clock.

/** As shown to the user: 草稿 → 待发 → 发送中 → 已送达 → 指挥部已看, or 被退回. */
export type ItemState = 'draft' | 'queued' | 'sending' | 'delivered' | 'seen' | 'failed'
export type TaskMove = 'acknowledge' | 'decline' | 'arrive' | 'done'
export type ItemKind = TaskMove | 'report' | 'sos'

/** Where something is; metres along the levee, WGS-84 degrees. */
export interface Spot { place?: string; chainage?: number; side?: 'water' | 'crest' | 'land'; lon?: number; lat?: number }
export interface ReportBody { kind: 'hazard' | 'patrol' | 'task'; type: string; place: Spot; observed_at: string; text?: string; task?: string }
export interface DeclineBody { reason: 'road-cut' | 'injured' | 'busy' | 'other'; text?: string }
export interface SosBody { place: Spot; at: string }
export type ItemBody = Record<string, never> | ReportBody | DeclineBody | SosBody

/** Why the server refused, in its words. `status` 0 = no answer yet. */
export interface Refusal { status: number; title: string; detail: string; field: string | null }

export interface QueueItem {
  id: string              // ULID, kept for life
  key: string             // Idempotency-Key; a new one only when a refused item is sent again
  owner: string           // account that wrote it; never sent under another name
  kind: ItemKind
  subject: string         // task id of a move, '' otherwise
  label: { zh: string; en: string }
  drill: boolean
  body: ItemBody
  photos: string[]        // ids in the photo store, in the order taken
  attach_to: string       // report of a colleague that gets the photos; '' = the item's own report
  sent: number            // steps the server has confirmed, see stepsOf
  state: ItemState
  created_ms: number
  settled_ms: number | null
  attempts: number        // failed tries of the step in hand
  retry_ms: number        // not before; 0 = at once
  refusal: Refusal | null
  server_id: string
}

/** One request. Text goes first, thumbnails next, photos last. */
export type Step = { part: 'text' } | { part: 'thumb' | 'photo'; photo: string }

/** The requests of an item, in order. */
export function stepsOf(item: Pick<QueueItem, 'photos' | 'attach_to'>): Step[] {
  const text: Step[] = item.attach_to ? [] : [{ part: 'text' }]
  return [
    ...text,
    ...item.photos.map((photo): Step => ({ part: 'thumb', photo })),
    ...item.photos.map((photo): Step => ({ part: 'photo', photo })),
  ]
}

/** Key of one request: the item's own for its text, a derived one for each picture. */
export function keyOf(item: Pick<QueueItem, 'key'>, step: Step): string {
  return step.part === 'text' ? item.key : `${item.key}-${step.part}-${step.photo}`
}

export type ItemEvent =
  | { type: 'submit' }
  | { type: 'start' }
  | { type: 'step-confirmed'; server_id: string; now_ms: number }
  | { type: 'try-later'; retry_ms: number; refusal: Refusal | null }
  | { type: 'refused'; refusal: Refusal; now_ms: number }
  | { type: 'interrupted' }
  | { type: 'seen' }
  | { type: 'edit'; body: ItemBody; fresh_key: string }
  | { type: 'resend'; fresh_key: string }

export class IllegalMove extends Error {
  constructor(readonly state: ItemState, readonly event: ItemEvent['type']) {
    super(`an item that is ${state} cannot take ${event}`)
    this.name = 'IllegalMove'
  }
}

/** The next state of an item; refuses by name what makes no sense. */
export function advance(item: QueueItem, event: ItemEvent): QueueItem {
  switch (event.type) {
    case 'submit':
      if (item.state !== 'draft') break
      return { ...item, state: 'queued', retry_ms: 0 }
    case 'start':
      if (item.state !== 'queued') break
      return { ...item, state: 'sending' }
    case 'interrupted': // the page was closed or killed in mid-request: the key makes sending again safe
      if (item.state !== 'sending') break
      return { ...item, state: 'queued' }
    case 'step-confirmed': {
      if (item.state !== 'sending') break
      const sent = item.sent + 1
      const whole = sent >= stepsOf(item).length
      return {
        ...item, sent, attempts: 0, retry_ms: 0, refusal: null, server_id: item.server_id || event.server_id,
        state: whole ? 'delivered' : 'queued', settled_ms: whole ? event.now_ms : null,
      }
    }
    case 'try-later':
      if (item.state !== 'sending') break
      return { ...item, state: 'queued', attempts: item.attempts + 1, retry_ms: event.retry_ms, refusal: event.refusal }
    case 'refused':
      if (item.state !== 'sending') break
      return { ...item, state: 'failed', refusal: event.refusal, settled_ms: event.now_ms }
    case 'seen':
      if (item.state === 'seen') return item
      if (item.server_id === '' || item.state === 'draft') break
      return item.state === 'delivered' ? { ...item, state: 'seen' } : item
    case 'edit':
    case 'resend':
      if (item.state !== 'failed' && !(item.state === 'draft' && event.type === 'edit')) break
      return {
        // The server answers a used key with its first answer, so the corrected item needs a key of its own.
        ...item, key: event.fresh_key, body: event.type === 'edit' ? event.body : item.body,
        state: item.state === 'draft' ? 'draft' : 'queued', attempts: 0, retry_ms: 0, refusal: null, settled_ms: null,
      }
  }
  throw new IllegalMove(item.state, event.type)
}

/** Still to be delivered: counts in the bar and forbids signing out. */
export function isUnsent(item: QueueItem): boolean {
  return item.state === 'queued' || item.state === 'sending' || item.state === 'failed'
}

/** Waiting or going by itself, without the user's hand. */
export function isPending(item: QueueItem): boolean {
  return item.state === 'queued' || item.state === 'sending'
}

const KIND_RANK: Record<ItemKind, number> = { sos: 0, acknowledge: 1, decline: 1, arrive: 1, done: 1, report: 2 }

/** Small goes first: SOS, answers, texts of reports, then every thumbnail, then photos. */
function rank(item: QueueItem): number {
  const part = stepsOf(item)[item.sent]?.part
  if (part === 'thumb') return 3
  if (part === 'photo') return 4
  return KIND_RANK[item.kind]
}

/** The item whose next request is to go now; undefined when nothing is due. */
export function nextDue(items: readonly QueueItem[], nowMs: number): QueueItem | undefined {
  const waiting = items.filter(isPending).sort((a, b) => rank(a) - rank(b) || byAge(a, b))
  return waiting.find((item) => item.state === 'queued' && item.retry_ms <= nowMs && !waiting.some((other) => goesBefore(other, item)))
}

/** Answers to one task keep their order, also when the first of them must wait. */
function goesBefore(other: QueueItem, item: QueueItem): boolean {
  return other !== item && item.subject !== '' && other.subject === item.subject && other.kind !== 'report' && item.kind !== 'report' && byAge(other, item) < 0
}

export function byAge(a: QueueItem, b: QueueItem): number {
  return a.created_ms - b.created_ms || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
