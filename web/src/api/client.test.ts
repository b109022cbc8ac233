import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { address, allPages, api, ApiError, enterDrill, exchangeToken, query } from './client'

const calls: { url: string; init: RequestInit }[] = []
let answers: Response[] = []
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })

beforeEach(() => {
  calls.length = 0
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    calls.push({ url, init })
    const answer = answers.shift()
    return answer ? Promise.resolve(answer) : Promise.reject(new TypeError('no network'))
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  enterDrill(null)
  answers = []
})

describe('calls', () => {
  it('send a key with each change and none with a question', async () => {
    answers = [json({}), json({}), json({})]
    await api.get('/a')
    await api.post('/b', {})
    await api.post('/b', {}, { key: 'same' })
    const keys = calls.map((call) => new Headers(call.init.headers).get('Idempotency-Key'))
    expect(keys[0]).toBeNull()
    expect(keys[1]).toMatch(/^[0-9a-f-]{32,36}$/)
    expect(keys[2]).toBe('same')
  })

  it('give the words of the server as the error', async () => {
    answers = [json({ type: 'x', title: 'refused', status: 422, detail: '流量须为 0 至 60000 m³/s', field: 'discharge_m3s', id: 'e-1' }, 422)]
    const error = await api.post('/preview', {}).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(ApiError)
    expect((error as ApiError).message).toBe('流量须为 0 至 60000 m³/s')
    expect((error as ApiError).problem).toMatchObject({ status: 422, field: 'discharge_m3s', id: 'e-1' })
  })

  it('make an error of a page that is no JSON, and of silence', async () => {
    answers = [new Response('<html>', { status: 502, statusText: 'Bad Gateway' }), new Response('not json', { status: 200 })]
    expect(((await api.get('/a').catch((cause: unknown) => cause)) as ApiError).status).toBe(502)
    expect(((await api.get('/a').catch((cause: unknown) => cause)) as ApiError).problem.title).toBe('unreadable answer')
    expect(((await api.get('/a').catch((cause: unknown) => cause)) as ApiError).offline).toBe(true)
  })

  it('read an empty answer', async () => {
    answers = [new Response(null, { status: 204 })]
    expect(await api.delete('/session')).toBeUndefined()
  })
})

describe('lists', () => {
  it('are read to the end', async () => {
    answers = [json({ items: [1, 2], next: 'b c' }), json({ items: [3], next: null })]
    expect(await allPages('/tasks?level=red')).toEqual([1, 2, 3])
    expect(calls[1]?.url).toBe('/api/v1/tasks?level=red&after=b%20c')
  })

  it('that do not end are a fault', async () => {
    answers = Array.from({ length: 9 }, (_, i) => json({ items: [], next: String(i) }))
    await expect(allPages('/tasks', {}, 5)).rejects.toThrow(ApiError)
  })
})

describe('addresses', () => {
  it('carry the drill that the page is in', () => {
    enterDrill('d 1')
    expect(address('/tasks')).toBe('/api/v1/tasks?drill=d%201')
    expect(address('/tasks?a=1')).toBe('/api/v1/tasks?a=1&drill=d%201')
    enterDrill(null)
    expect(address('/tasks')).toBe('/api/v1/tasks')
  })

  it('leave out what is empty', () => expect(query({ a: 1, b: '', c: null, d: undefined, e: '值' })).toBe('?a=1&e=%E5%80%BC'))
})

describe('a one-time link', () => {
  it('is traded once and vanishes from the address', async () => {
    window.history.replaceState(null, '', '/hq?token=abc&level=red#x')
    answers = [json({ name: '张某' })]
    expect(await exchangeToken()).toEqual({ name: '张某' })
    expect(calls[0]?.init.body).toBe('{"token":"abc"}')
    expect(window.location.pathname + window.location.search + window.location.hash).toBe('/hq?level=red#x')
  })

  it('vanishes also when it is refused', async () => {
    window.history.replaceState(null, '', '/hq?token=old')
    answers = [json({ title: 'stale', status: 401 }, 401)]
    await expect(exchangeToken()).rejects.toThrow(ApiError)
    expect(window.location.search).toBe('')
  })

  it('is left alone on the setup page', async () => {
    window.history.replaceState(null, '', '/setup?token=abc')
    expect(await exchangeToken()).toBeNull()
    expect(window.location.search).toBe('?token=abc')
  })
})
