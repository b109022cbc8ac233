import { describe, expect, it } from 'vitest'
import { countdown, reachNow } from './countdown'

const now = Date.parse('2026-07-28T22:04:00+08:00')

describe('countdown', () => {
  it.each([
    ['2026-07-28T22:30:30+08:00', { state: 'left', hours: 0, minutes: 26, seconds: 30 }], ['2026-07-28T22:13:59+08:00', { state: 'soon', minutes: 9, seconds: 59 }],
    ['2026-07-28T22:04:00+08:00', { state: 'soon', minutes: 0, seconds: 0 }], ['2026-07-28T21:00:00+08:00', { state: 'over', hours: 1, minutes: 4 }],
    ['2026-07-31T01:04:00+08:00', { state: 'left', days: 2, hours: 3, minutes: 0 }],
  ])('%s', (due, expected) => { expect(countdown(due, now)).toMatchObject(expected) })
  it('has nothing to count without a time', () => {
    expect(countdown(null, now).state).toBe('none')
    expect(countdown('soon', now).state).toBe('none')
  })
})

describe('reachNow', () => {
  it('runs on at the speed of the reach', () => {
    expect(reachNow({ now: '2026-07-28T22:04:00+08:00', speed: 60, at_ms: 1000 }, 2000)).toBe(now + 60_000)
  })
  it('falls back to the phone', () => {
    expect(reachNow(null, 77)).toBe(77)
    expect(reachNow({ now: '?', speed: 1, at_ms: 0 }, 77)).toBe(77)
  })
})
