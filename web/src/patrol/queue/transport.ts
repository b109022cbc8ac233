// Turns one step of an item into one HTTP request, and its reply into an Answer. Never throws for a bad network.
import { keyOf, type QueueItem, type ReportBody, type Step } from './item'
import type { Answer } from './retry'
import type { StoredPhoto } from './storage'

const API = '/api/v1'
const TEXT_TIMEOUT_MS = 20_000
const PHOTO_TIMEOUT_MS = 120_000 // 300 KB at 64 kbit/s take 40 s

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** The request of one step. A picture needs `photo`; a step after the text needs the report's id. */
export function requestOf(item: QueueItem, step: Step, photo: StoredPhoto | undefined): { url: string; init: RequestInit; timeout_ms: number } {
  const headers: Record<string, string> = { 'Idempotency-Key': keyOf(item, step), Accept: 'application/json' }
  const base = { method: 'POST', headers, credentials: 'same-origin', redirect: 'manual', cache: 'no-store' } as const
  if (step.part !== 'text') {
    if (photo === undefined) throw new Error(`picture ${step.photo} of item ${item.id} is gone from this phone`)
    const bytes = step.part === 'thumb' ? photo.thumb : photo.full
    const form = new FormData()
    form.append('photo', new Blob([bytes], { type: photo.type }), `${step.part}-${photo.id}.jpg`)
    const report = encodeURIComponent(item.attach_to || item.server_id)
    return { url: `${API}/reports/${report}/photos?size=${step.part === 'thumb' ? 'thumb' : 'full'}&shot=${encodeURIComponent(photo.id)}`, init: { ...base, body: form }, timeout_ms: PHOTO_TIMEOUT_MS }
  }
  if (item.kind === 'report') {
    const form = new FormData()
    form.append('report', new Blob([JSON.stringify(item.body)], { type: 'application/json' }))
    return { url: `${API}/reports`, init: { ...base, body: form }, timeout_ms: TEXT_TIMEOUT_MS }
  }
  headers['Content-Type'] = 'application/json'
  const url = item.kind === 'sos' ? `${API}/sos` : `${API}/tasks/${encodeURIComponent(item.subject)}/${item.kind}`
  return { url, init: { ...base, body: JSON.stringify(item.body) }, timeout_ms: TEXT_TIMEOUT_MS }
}

/** A picture that its report cannot take (it is gone, or the server takes none later) as a report of its own. */
export function lonePicture(item: QueueItem, step: Step, photo: StoredPhoto): ReturnType<typeof requestOf> {
  const of = item.body as ReportBody
  const body: ReportBody = { kind: of.kind === 'task' ? 'task' : 'patrol', type: 'photo', place: of.place, observed_at: of.observed_at, text: `照片，属于上报 ${item.attach_to || item.server_id}`, ...(of.task ? { task: of.task } : {}) }
  const plain = requestOf(item, step, photo)
  const form = new FormData()
  form.append('report', new Blob([JSON.stringify(body)], { type: 'application/json' }))
  form.append('photo', new Blob([photo.full], { type: photo.type }), `photo-${photo.id}.jpg`)
  const headers = { ...(plain.init.headers as Record<string, string>), 'Idempotency-Key': `${keyOf(item, step)}-own` }
  return { ...plain, url: `${API}/reports`, init: { ...plain.init, headers, body: form } }
}

/** Sends one step and reports what came back. No picture is lost because its report cannot take it. */
export async function send(fetcher: Fetch, item: QueueItem, step: Step, photo: StoredPhoto | undefined): Promise<Answer> {
  const answer = await post(fetcher, requestOf(item, step, photo))
  if (step.part === 'text' || photo === undefined || answer.kind !== 'http' || (answer.status !== 404 && answer.status !== 405)) return answer
  // The thumbnail alone is worth nothing there: the photo follows.
  if (step.part === 'thumb') return { kind: 'http', status: 200, body: { id: item.attach_to || item.server_id }, retry_after_s: null }
  return post(fetcher, lonePicture(item, step, photo))
}

async function post(fetcher: Fetch, { url, init, timeout_ms }: ReturnType<typeof requestOf>): Promise<Answer> {
  try {
    const response = await fetcher(url, { ...init, signal: AbortSignal.timeout(timeout_ms) })
    const json = /[/+]json/.test(response.headers.get('content-type') ?? '')
    const body: unknown = json ? await response.json().catch(() => null) : null
    return { kind: 'http', status: response.status, body, retry_after_s: retryAfter(response.headers.get('retry-after')) }
  } catch (cause) {
    return { kind: 'no-answer', reason: cause instanceof Error ? cause.message : String(cause) }
  }
}

function retryAfter(header: string | null): number | null {
  if (header === null || !/^\d+$/.test(header.trim())) return null
  return Number(header)
}
