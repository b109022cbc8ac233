// Calls to the server: JSON in and out, problem documents as errors, one idempotency key for each change.
import { seated, takeSeat, wantsSeat } from './seat'
import type { Me, Problem } from './types'

const BASE = '/api/v1'
const TIMEOUT_MS = 15_000

/** A refusal or a fault, as the server described it. `status` 0: no answer at all. */
export class ApiError extends Error {
  /** `isChange`: a change was asked for, not a thing to read. */
  constructor(readonly problem: Problem, readonly isChange = false) {
    super(problem.detail || problem.title)
    this.name = 'ApiError'
  }
  get status(): number {
    return this.problem.status
  }
  /** Nothing was heard from the server: the same request may be sent again with the same key. */
  get offline(): boolean {
    return this.problem.status === 0
  }
}

/** A key that is new for each intent of a person and the same for each repetition of it. */
export function idempotencyKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

let drill: string | null = null

/** From now on this page speaks of that drill and not of the live river; null: of the live river. */
export function enterDrill(id: string | null): void {
  drill = id
}

/** The drill that this page speaks of, if any. */
export function drillId(): string | null {
  return drill
}

/** A whole address with the drill that the page is in. */
export function inDrill(url: string): string {
  return drill === null ? url : `${url}${url.includes('?') ? '&' : '?'}drill=${encodeURIComponent(drill)}`
}

/** The address of a call, with the drill that the page is in. */
export function address(path: string): string {
  return inDrill(BASE + path)
}

/** `seat`: the answer belongs to this tab alone, the cookie of the browser stays as it is. */
interface Options { key?: string; signal?: AbortSignal; timeoutMs?: number; seat?: boolean }

async function request<T>(method: string, path: string, body: unknown, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json, application/problem+json' }
  const isForm = body instanceof FormData
  if (body !== undefined && !isForm) headers['Content-Type'] = 'application/json'
  if (method !== 'GET') headers['Idempotency-Key'] = options.key ?? idempotencyKey()
  const limit = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  let response: Response
  try {
    response = await fetch(address(path), seated({
      method, headers, signal, credentials: options.seat ? 'omit' : 'same-origin', cache: 'no-store',
      body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
    }))
  } catch (cause) {
    if (options.signal?.aborted) throw cause
    throw new ApiError({ type: 'about:blank', title: 'no answer', status: 0, detail: '' }, method !== 'GET')
  }
  if (!response.ok) throw new ApiError(await problemOf(response))
  if (response.status === 204) return undefined as T
  const text = await response.text()
  if (text === '') return undefined as T
  try {
    return JSON.parse(text) as T
  } catch {
    throw new ApiError({ type: 'about:blank', title: 'unreadable answer', status: response.status, detail: '' })
  }
}

async function problemOf(response: Response): Promise<Problem> {
  const fallback: Problem = { type: 'about:blank', title: response.statusText, status: response.status, detail: '' }
  try {
    const sent = (await response.json()) as Partial<Problem>
    return { ...fallback, ...sent, status: response.status }
  } catch {
    return fallback
  }
}

/** `{a: 1, b: ''}` → `?a=1`; empty and missing values are left out. */
export function query(params: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') search.set(name, String(value))
  }
  const text = search.toString()
  return text ? `?${text}` : ''
}

export const api = {
  get: <T>(path: string, options?: Options) => request<T>('GET', path, undefined, options),
  post: <T>(path: string, body: unknown = {}, options?: Options) => request<T>('POST', path, body, options),
  delete: <T>(path: string, options?: Options) => request<T>('DELETE', path, undefined, options),
}

/** All pages of a list, in order. Stops after `limit` pages, which is a fault of the server and said so. */
export async function allPages<T>(path: string, options?: Options, limit = 200): Promise<T[]> {
  const items: T[] = []
  let cursor: string | null = null
  for (let page = 0; page < limit; page += 1) {
    const joint: string = path.includes('?') ? '&' : '?'
    const next: { items: T[]; next: string | null } = await api.get(
      cursor === null ? path : `${path}${joint}after=${encodeURIComponent(cursor)}`, options)
    items.push(...next.items)
    if (next.next === null || next.next === cursor) return items
    cursor = next.next
  }
  throw new ApiError({ type: 'about:blank', title: 'endless list', status: 200, detail: path })
}

/** Trades the one-time token in the address for a session and removes it from the address and the history. */
export async function exchangeToken(location: Location = window.location): Promise<Me | null> {
  const url = new URL(location.href)
  const token = url.searchParams.get('token')
  // The setup page reads its own token: that one makes an administrator, not a session.
  if (!token || url.pathname === '/setup') return null
  const seat = wantsSeat(url)
  url.searchParams.delete('token')
  url.searchParams.delete('seat')
  window.history.replaceState(window.history.state, '', url.pathname + url.search + url.hash)
  const me = await api.post<Me & { token?: string }>('/session', { token }, { seat })
  if (seat && me.token) takeSeat(me.token)
  return me
}
