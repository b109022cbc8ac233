import { describe, expect, it } from 'vitest'
import { askOf } from './importing'

describe('askOf', () => {
  it('leaves out what nobody said and takes moments for Beijing time', () => {
    expect(askOf({ source: ' ', area: '' })).toBe('')
    expect(new URLSearchParams(askOf({ source: '水调局', issued_at: '2026-07-15T08:00' })).get('issued_at')).toBe('2026-07-15T08:00:00+08:00')
    expect(new URLSearchParams(askOf({ issued_at: '2026-07-15T00:00:00Z' })).get('issued_at')).toBe('2026-07-15T00:00:00Z')
  })
})
