// What an answer means for the item that asked: confirmed, try later, or refused for good.
import type { Refusal } from './item'

/** What came back from one request. `body` is the parsed JSON, null when it was none. */
export type Answer =
  | { kind: 'http'; status: number; body: unknown; retry_after_s: number | null }
  | { kind: 'no-answer'; reason: string }

export type Verdict =
  | { kind: 'confirmed'; server_id: string }
  | { kind: 'later'; after_ms: number; sign_in: boolean; refusal: Refusal | null }
  | { kind: 'refused'; refusal: Refusal }

const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 30_000
const LONGEST_ASKED_MS = 300_000

/** Milliseconds until try number `attempts + 1`: 2 s doubled each time, at most 30 s. */
export function waitAfter(attempts: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(Math.max(0, attempts), 10))
}

/** Judges an answer. Only a 2xx that names the server's id (or a task move's JSON) confirms: a page of a hotel's or a
 * hotspot's sign-in portal also says 200. */
export function judge(answer: Answer, attempts: number, needsId: boolean): Verdict {
  if (answer.kind === 'no-answer') return { kind: 'later', after_ms: waitAfter(attempts), sign_in: false, refusal: null }
  const { status, body } = answer
  if (status >= 200 && status < 300) {
    const id = idOf(body)
    if (id !== null || (!needsId && (status === 204 || isObject(body)))) return { kind: 'confirmed', server_id: id ?? '' }
    return later(answer, attempts, false)
  }
  if (status === 401) return later(answer, attempts, true)
  if (status < 400 || status >= 500 || status === 408 || status === 425 || status === 429) return later(answer, attempts, false)
  return { kind: 'refused', refusal: refusalOf(answer) }
}

function later(answer: Answer & { kind: 'http' }, attempts: number, signIn: boolean): Verdict {
  const asked = answer.retry_after_s === null ? 0 : Math.min(LONGEST_ASKED_MS, answer.retry_after_s * 1000)
  return { kind: 'later', after_ms: Math.max(waitAfter(attempts), asked), sign_in: signIn, refusal: refusalOf(answer) }
}

/** The server's reason in RFC 9457 words; the status alone when it gave none. */
export function refusalOf(answer: Answer & { kind: 'http' }): Refusal {
  const problem = isObject(answer.body) ? answer.body : {}
  const text = (key: string): string => (typeof problem[key] === 'string' ? (problem[key] as string) : '')
  return { status: answer.status, title: text('title') || `HTTP ${answer.status}`, detail: text('detail'), field: text('field') || null }
}

function idOf(body: unknown): string | null {
  if (!isObject(body)) return null
  const id = body.id
  return typeof id === 'string' && id !== '' ? id : typeof id === 'number' ? String(id) : null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
