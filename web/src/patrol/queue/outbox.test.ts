// @vitest-environment node
import 'fake-indexeddb/auto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ReportBody } from './item'
import { exportUnsent, mayLeave } from './leaving'
import { MOST_UNSENT, Outbox, OutboxEnded, OutboxFull, type NewItem } from './outbox'
import { openStore, type PhoneStore } from './storage'

/** A server as the contract describes it: a repeated key gets the first answer. */
class Server {
  mode: 'up' | 'away' | 'reply-lost' | { status: number; body: unknown } = 'up'
  readonly log: { url: string; key: string; report: unknown }[] = []
  readonly reports: string[] = []
  takesLater = true // pictures after the report
  #answers = new Map<string, { status: number; body: unknown }>()
  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    if (this.mode === 'away') throw new TypeError('Failed to fetch')
    const key = (init.headers as Record<string, string>)['Idempotency-Key'] ?? ''
    const form = init.body instanceof FormData ? init.body : null
    const part = form?.get('report')
    this.log.push({ url, key, report: part instanceof Blob ? JSON.parse(await part.text()) : null })
    const known = this.#answers.get(key)
    const answer = known ?? this.#first(url, key)
    if (this.mode === 'reply-lost') throw new TypeError('connection reset')
    return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json' } })
  }
  #first(url: string, key: string): { status: number; body: unknown } {
    if (url.includes('/photos') && !this.takesLater) return { status: 404, body: { title: 'no such page' } }
    const answer = typeof this.mode === 'object' ? this.mode : { status: 201, body: { id: url.endsWith('/reports') ? `rpt-${this.reports.length + 1}` : 'x1' } }
    if (answer.status < 300 && url.endsWith('/reports')) this.reports.push(key)
    this.#answers.set(key, answer)
    return answer
  }
}

const body: ReportBody = { kind: 'hazard', type: 'piping', place: { chainage: 9200, side: 'land' }, observed_at: '2026-07-28T22:04:00+08:00' }
const picture = (id: string) => ({ id, type: 'image/jpeg', thumb: new ArrayBuffer(10), full: new ArrayBuffer(100), width: 4, height: 3 })
const hazard = (over: Partial<NewItem> = {}): NewItem => ({ kind: 'report', label: { zh: '管涌', en: 'Piping' }, drill: false, body, ...over })
const move = (kind: 'acknowledge' | 'arrive', subject = 'tsk-1'): NewItem => ({ kind, subject, label: { zh: '', en: '' }, drill: false, body: {} })

let names = 0
let db: PhoneStore
let server: Server
let nowMs: number
const alone = (work: () => Promise<void>): Promise<void> => work()
const open = async (): Promise<Outbox> => {
  const outbox = await Outbox.open({ db, fetcher: server.fetch, now: () => nowMs, alone })
  outbox.owner = 'li'
  return outbox
}
const settle = async (outbox: Outbox): Promise<void> => { await outbox.flush() }

beforeEach(async () => {
  db = await openStore(`test-${names++}`)
  server = new Server()
  nowMs = 1_000_000
})

describe('offline', () => {
  it('keeps a report with two pictures over a reload and delivers it once, text first', async () => {
    server.mode = 'away'
    const first = await open()
    const { id } = await first.add(hazard({ photos: [picture('p'), picture('q')] }))
    await settle(first)
    expect(first.unsent().map((item) => item.state)).toEqual(['queued'])

    server.mode = 'up'
    const second = await open()
    expect(second.unsent()).toHaveLength(1)
    await second.flush(true)
    expect(second.get(id)).toMatchObject({ state: 'delivered', server_id: 'rpt-1' })
    expect(server.log.map((entry) => entry.url.replace(/&shot=\w+$/, ''))).toEqual([
      '/api/v1/reports', '/api/v1/reports/rpt-1/photos?size=thumb', '/api/v1/reports/rpt-1/photos?size=thumb',
      '/api/v1/reports/rpt-1/photos?size=full', '/api/v1/reports/rpt-1/photos?size=full',
    ])
    expect(server.log[0]).toMatchObject({ key: id, report: body })
    expect(second.unsent()).toHaveLength(0)
  })
  it('loses no picture when its report cannot take it: the photo goes as a patrol report of its own', async () => {
    server.takesLater = false
    const outbox = await open()
    const { id } = await outbox.add(hazard({ photos: [picture('p')] }))
    await settle(outbox)
    expect(outbox.get(id)).toMatchObject({ state: 'delivered', server_id: 'rpt-1' })
    expect(server.log.map((entry) => entry.url.replace(/&shot=\w+$/, ''))).toEqual(['/api/v1/reports', '/api/v1/reports/rpt-1/photos?size=thumb', '/api/v1/reports/rpt-1/photos?size=full', '/api/v1/reports'])
    expect(server.log[3]).toMatchObject({ key: `${id}-photo-p-own`, report: { kind: 'patrol', type: 'photo', text: '照片，属于上报 rpt-1' } })
  })
  it('makes no second report when the reply is lost', async () => {
    server.mode = 'reply-lost'
    const outbox = await open()
    await outbox.add(hazard())
    await settle(outbox)
    expect(server.reports).toHaveLength(1)
    server.mode = 'up'
    await outbox.flush(true)
    expect(server.reports).toHaveLength(1)
    expect(outbox.all()[0]).toMatchObject({ state: 'delivered', server_id: 'rpt-1' })
  })
  it('sends again what a killed page was sending, under the same key', async () => {
    server.mode = 'away'
    const first = await open()
    const { id } = await first.add(hazard())
    await settle(first)
    const stored = await db.get('items', id)
    if (stored) await db.put('items', { ...stored, state: 'sending' })
    server.mode = 'up'
    const second = await open()
    await second.flush(true)
    expect(server.log.map((entry) => entry.key)).toEqual([id])
  })
  it('waits longer after each failure, and not at all when urged', async () => {
    server.mode = 'away'
    const outbox = await open()
    await outbox.add(hazard())
    await settle(outbox)
    expect(outbox.nextTry()).toBe(nowMs + 2000)
    nowMs += 2000
    await outbox.flush()
    expect(outbox.nextTry()).toBe(nowMs + 4000)
    server.mode = 'up'
    await outbox.flush()
    expect(server.log).toHaveLength(0)
    await outbox.flush(true)
    expect(outbox.unsent()).toHaveLength(0)
  })
})

describe('refusal', () => {
  it('keeps a refused report with its reason; corrected, it goes under a new key', async () => {
    server.mode = { status: 422, body: { title: 'Bad report', detail: 'chainage 99999 lies outside the levee', field: 'place.chainage' } }
    const outbox = await open()
    const { id } = await outbox.add(hazard({ photos: [picture('p')] }))
    await settle(outbox)
    expect(outbox.get(id)).toMatchObject({ state: 'failed', refusal: { status: 422, field: 'place.chainage' } })
    await outbox.flush(true)
    expect(server.log).toHaveLength(1) // no retry by itself
    expect(outbox.unsent()).toHaveLength(1)

    server.mode = 'up'
    await outbox.edit(id, { ...body, place: { chainage: 9250 } })
    await settle(outbox)
    expect(outbox.get(id)?.state).toBe('delivered')
    expect(server.log[1]).toMatchObject({ report: { place: { chainage: 9250 } } })
    expect(server.log[1]?.key).not.toBe(id)
    expect(server.log).toHaveLength(4)
  })
  it('lets others pass when one is refused or the server is ill', async () => {
    const outbox = await open()
    server.mode = { status: 409, body: { title: 'Task withdrawn' } }
    await outbox.add(move('acknowledge'))
    await settle(outbox)
    server.mode = 'up'
    await outbox.add(move('arrive'))
    await settle(outbox)
    expect(outbox.all().map((item) => item.state)).toEqual(['failed', 'delivered'])
  })
  it('throws away only what was refused', async () => {
    server.mode = 'away'
    const outbox = await open()
    const { id } = await outbox.add(hazard())
    await settle(outbox)
    await expect(outbox.discard(id)).rejects.toThrow('queued')
    server.mode = { status: 400, body: null }
    await outbox.flush(true)
    await outbox.discard(id)
    expect(await db.getAll('items')).toEqual([])
  })
  it('stops at 401 until someone signs in, and keeps everything', async () => {
    server.mode = { status: 401, body: null }
    const outbox = await open()
    await outbox.add(hazard())
    await outbox.add(move('acknowledge'))
    await settle(outbox)
    expect(server.log).toHaveLength(1)
    expect(outbox.needsSignIn).toBe(true)
    expect(outbox.unsent()).toHaveLength(2)
  })
})

describe('once', () => {
  it('stores one item for one form and one answer for one task', async () => {
    server.mode = 'away'
    const outbox = await open()
    await outbox.add(hazard({ id: 'FORM' }))
    await outbox.add(hazard({ id: 'FORM' }))
    await outbox.add(move('acknowledge'))
    await outbox.add(move('acknowledge'))
    await outbox.add(move('acknowledge', 'tsk-2'))
    expect(outbox.all()).toHaveLength(3)
  })
  it('never sends under another name', async () => {
    server.mode = 'away'
    const outbox = await open()
    await outbox.add(hazard())
    await settle(outbox)
    server.mode = 'up'
    outbox.owner = 'wang'
    await outbox.flush(true)
    expect(server.log).toHaveLength(0)
    outbox.owner = 'li'
    await outbox.flush(true)
    expect(server.log).toHaveLength(1)
  })
  it('is bounded, but always takes an SOS', async () => {
    server.mode = 'away'
    const outbox = await open()
    for (let i = 0; i < MOST_UNSENT; i++) await outbox.add(hazard())
    await expect(outbox.add(hazard())).rejects.toThrow(OutboxFull)
    await outbox.add({ kind: 'sos', label: { zh: '', en: '' }, drill: false, body: { place: {}, at: '2026-07-28T22:04:00+08:00' } })
    expect(outbox.all()).toHaveLength(MOST_UNSENT + 1)
  })
  it('shows 已看 when headquarters looked while the photos were still on their way', async () => {
    server.mode = { status: 201, body: { id: 'rpt-1', seen_by: null } }
    const outbox = await open()
    const { id } = await outbox.add(hazard())
    await settle(outbox)
    expect(outbox.get(id)?.state).toBe('delivered')
    server.mode = { status: 201, body: { id: 'rpt-2', seen_by: 'duty-a' } }
    const seen = await outbox.add(hazard({ photos: [picture('p')] }))
    await settle(outbox)
    expect(outbox.get(seen.id)?.state).toBe('seen')
  })
  it('shows 已看 when headquarters has looked, and forgets delivered items after a day', async () => {
    const outbox = await open()
    const { id } = await outbox.add(hazard({ photos: [picture('p')] }))
    await settle(outbox)
    await outbox.markSeen('rpt-1')
    expect(outbox.get(id)?.state).toBe('seen')
    nowMs += 25 * 3600_000
    expect((await open()).all()).toHaveLength(0)
    expect(await db.getAll('photos')).toHaveLength(0)
  })
})

describe('signing out', () => {
  it('is refused with unsent items unless they were exported, pictures included', async () => {
    server.mode = 'away'
    const outbox = await open()
    const { id } = await outbox.add(hazard({ photos: [picture('p')] }))
    await settle(outbox)
    expect(mayLeave(outbox.all(), 'li', new Set())).toEqual({ ok: false, unsent: 1 })
    expect(mayLeave(outbox.all(), 'wang', new Set())).toEqual({ ok: true })
    const out = await exportUnsent(db, outbox.all(), 'li', nowMs)
    expect(JSON.parse(out.text)).toMatchObject({ owner: 'li', items: [{ id, body, photos: [{ id: 'p', type: 'image/jpeg' }] }] })
    expect(mayLeave(outbox.all(), 'li', new Set(out.ids))).toEqual({ ok: true })
  })
})

describe('after its drill has ended', () => {
  const reason = { status: 0, title: '', detail: '演练已结束', field: null }
  it('tells what did not go, and neither takes nor sends anything more', async () => {
    server.mode = { status: 503, body: { title: 'stopping' } }
    const outbox = await open()
    const sos = await outbox.add({ kind: 'sos', label: { zh: '', en: '' }, drill: true, body: { place: {}, at: '2026-07-28T22:04:00+08:00' } })
    await settle(outbox)
    expect(outbox.get(sos.id)?.state).toBe('queued') // the server was busy: it repeats
    server.mode = 'up'
    await outbox.end(reason)
    expect(outbox.get(sos.id)).toMatchObject({ state: 'failed', refusal: reason })
    const heard = server.log.length
    await expect(outbox.add(hazard())).rejects.toBeInstanceOf(OutboxEnded)
    await outbox.resend(sos.id)
    await outbox.flush(true)
    expect(server.log).toHaveLength(heard)
  })
})
