import { describe, expect, it } from 'vitest'
import { advance, IllegalMove, keyOf, nextDue, stepsOf, type ItemEvent, type ItemState, type QueueItem } from './item'

function item(over: Partial<QueueItem> = {}): QueueItem {
  return {
    id: 'A', key: 'A', owner: 'li', kind: 'report', subject: '', label: { zh: '渗水', en: 'Seepage' }, drill: false, body: {}, photos: [],
    attach_to: '', sent: 0, state: 'queued', created_ms: 1, settled_ms: null, attempts: 0, retry_ms: 0, refusal: null, server_id: '', ...over,
  }
}
const refusal = { status: 422, title: 'refused', detail: 'unknown type', field: 'type' }

describe('states', () => {
  function check(from: ItemState, event: ItemEvent, to: ItemState): void {
    expect(advance(item({ state: from, server_id: 'r1' }), event).state).toBe(to)
  }
  it('walks the legal moves', () => {
    check('draft', { type: 'submit' }, 'queued')
    check('queued', { type: 'start' }, 'sending')
    check('sending', { type: 'interrupted' }, 'queued')
    check('sending', { type: 'try-later', retry_ms: 9, refusal: null }, 'queued')
    check('sending', { type: 'step-confirmed', server_id: 'r1', now_ms: 5 }, 'delivered')
    check('sending', { type: 'refused', refusal, now_ms: 5 }, 'failed')
    check('failed', { type: 'resend', fresh_key: 'B' }, 'queued')
    check('failed', { type: 'edit', body: {}, fresh_key: 'B' }, 'queued')
    check('draft', { type: 'edit', body: {}, fresh_key: 'B' }, 'draft')
    check('delivered', { type: 'seen' }, 'seen')
    check('seen', { type: 'seen' }, 'seen')
  })
  it.each<[ItemState, ItemEvent]>([
    ['queued', { type: 'submit' }], ['delivered', { type: 'start' }], ['failed', { type: 'start' }], ['queued', { type: 'step-confirmed', server_id: 'x', now_ms: 0 }],
    ['delivered', { type: 'refused', refusal, now_ms: 0 }], ['delivered', { type: 'resend', fresh_key: 'B' }], ['seen', { type: 'edit', body: {}, fresh_key: 'B' }], ['draft', { type: 'seen' }],
  ])('refuses %s → %o', (state, event) => {
    expect(() => advance(item({ state }), event)).toThrow(IllegalMove)
  })
  it('is delivered only after its last picture, and waits in between', () => {
    let it = item({ photos: ['p'] })
    const states = stepsOf(it).map(() => {
      it = advance(advance(it, { type: 'start' }), { type: 'step-confirmed', server_id: 'r7', now_ms: 8 })
      return it.state
    })
    expect(states).toEqual(['queued', 'queued', 'delivered'])
    expect(it).toMatchObject({ server_id: 'r7', settled_ms: 8 })
  })
  it('keeps the reason of a refusal, and takes a new key when sent again', () => {
    const failed = advance(item({ state: 'sending' }), { type: 'refused', refusal, now_ms: 3 })
    expect(failed).toMatchObject({ state: 'failed', refusal, key: 'A' })
    expect(advance(failed, { type: 'resend', fresh_key: 'B' })).toMatchObject({ id: 'A', key: 'B', refusal: null, attempts: 0 })
  })
  it('keeps its key when it only has to wait', () => {
    expect(advance(item({ state: 'sending' }), { type: 'try-later', retry_ms: 99, refusal: null })).toMatchObject({ key: 'A', attempts: 1, retry_ms: 99 })
  })
})

describe('order', () => {
  it('sends text, then every thumbnail, then photos', () => {
    expect(stepsOf(item({ photos: ['p', 'q'] })).map((step) => keyOf(item(), step))).toEqual(['A', 'A-thumb-p', 'A-thumb-q', 'A-photo-p', 'A-photo-q'])
  })
  it('adds only pictures to a colleague’s report', () => {
    expect(stepsOf(item({ photos: ['p'], attach_to: 'r9' })).map((step) => step.part)).toEqual(['thumb', 'photo'])
  })
  it('lets SOS overtake answers, answers overtake reports, texts overtake pictures', () => {
    const items = [
      item({ id: 'photo', photos: ['p'], sent: 2, created_ms: 1 }), item({ id: 'thumb', photos: ['p'], sent: 1, created_ms: 2 }), item({ id: 'text', created_ms: 3 }),
      item({ id: 'ack', kind: 'acknowledge', subject: 't1', created_ms: 4 }), item({ id: 'sos', kind: 'sos', created_ms: 5 }),
    ]
    const order: string[] = []
    for (let left = items; left.length > 0;) {
      const next = nextDue(left, 10)
      if (!next) break
      order.push(next.id)
      left = left.filter((other) => other !== next)
    }
    expect(order).toEqual(['sos', 'ack', 'text', 'thumb', 'photo'])
  })
  it('never lets an arrival overtake the acknowledgement of the same task', () => {
    const ack = item({ id: 'ack', kind: 'acknowledge', subject: 't1', created_ms: 1, retry_ms: 500 })
    const arrive = item({ id: 'arrive', kind: 'arrive', subject: 't1', created_ms: 2 })
    const other = item({ id: 'other', kind: 'arrive', subject: 't2', created_ms: 3 })
    expect(nextDue([ack, arrive], 10)).toBeUndefined()
    expect(nextDue([ack, arrive, other], 10)?.id).toBe('other')
    expect(nextDue([ack, arrive], 500)?.id).toBe('ack')
    expect(nextDue([{ ...ack, state: 'failed' }, arrive], 10)?.id).toBe('arrive')
  })
})
