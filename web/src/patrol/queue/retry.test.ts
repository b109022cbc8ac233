import { describe, expect, it } from 'vitest'
import { judge, waitAfter, type Answer } from './retry'

const http = (status: number, body: unknown = null, retry_after_s: number | null = null): Answer => ({ kind: 'http', status, body, retry_after_s })

describe('judge', () => {
  it.each([
    [http(201, { id: 'rpt-1' }), 'confirmed'], [http(200, { id: 'rpt-1' }), 'confirmed'],
    [http(200, null), 'later'], // the page of a sign-in portal is not a receipt
    [http(200, { title: 'welcome' }), 'later'], [http(0), 'later'], [http(302), 'later'], [http(401), 'later'], [http(408), 'later'], [http(425), 'later'],
    [http(429), 'later'], [http(500), 'later'], [http(503), 'later'], [{ kind: 'no-answer', reason: 'offline' } as Answer, 'later'],
    [http(400), 'refused'], [http(403), 'refused'], [http(404), 'refused'], [http(409), 'refused'], [http(413), 'refused'], [http(422), 'refused'],
  ])('%o → %s', (answer, kind) => {
    expect(judge(answer, 0, true).kind).toBe(kind)
  })
  it('accepts a task move without an id, as JSON or as 204', () => {
    expect(judge(http(204), 0, false).kind).toBe('confirmed')
    expect(judge(http(200, {}), 0, false).kind).toBe('confirmed')
    expect(judge(http(200, null), 0, false).kind).toBe('later')
  })
  it('tells the server’s reason', () => {
    expect(judge(http(422, { title: 'Bad report', detail: 'type "x" is unknown', field: 'type' }), 0, true)).toEqual({
      kind: 'refused', refusal: { status: 422, title: 'Bad report', detail: 'type "x" is unknown', field: 'type' },
    })
  })
  it('asks for signing in, and obeys Retry-After up to five minutes', () => {
    expect(judge(http(401), 0, true)).toMatchObject({ sign_in: true })
    expect(judge(http(429, null, 60), 0, true)).toMatchObject({ after_ms: 60_000, sign_in: false })
    expect(judge(http(503, null, 86_400), 0, true)).toMatchObject({ after_ms: 300_000 })
  })
})

it('waits 2, 4, 8, 16, 30, 30 s', () => {
  expect([0, 1, 2, 3, 4, 5, 60].map(waitAfter)).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})
