import { expect, it } from 'vitest'
import { ulid } from './ulid'

const zeros = (bytes: Uint8Array): Uint8Array => bytes.fill(0)

it('writes the time first, in Crockford’s alphabet', () => {
  expect(ulid(0, zeros)).toBe('0'.repeat(26))
  expect(ulid(1_469_918_176_385, zeros)).toBe('01ARYZ6S410000000000000000')
})
it('sorts by time and differs by chance', () => {
  expect(ulid(1000) < ulid(1001)).toBe(true)
  expect(new Set(Array.from({ length: 500 }, () => ulid(1000))).size).toBe(500)
  expect(ulid(Date.now())).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
})
it('refuses a time that does not fit', () => {
  expect(() => ulid(-1)).toThrow(RangeError)
  expect(() => ulid(2 ** 48)).toThrow(RangeError)
  expect(() => ulid(Number.NaN)).toThrow(RangeError)
})
