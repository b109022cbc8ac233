import { beforeEach, expect, test } from 'vitest'
import { leaveSeat, seated, takeSeat, wantsSeat } from './seat'

beforeEach(() => window.sessionStorage.clear())

test('a tab without a seat sends what it was given', () => {
  const init = { method: 'GET', credentials: 'same-origin' as const, headers: { Accept: 'a' } }
  expect(seated(init)).toBe(init)
})

test('a seat replaces the cookie until it is left', () => {
  takeSeat('secret')
  const init = seated({ credentials: 'same-origin' as const, headers: { Accept: 'a' } })
  expect(init).toEqual({ credentials: 'omit', headers: { Accept: 'a', Authorization: 'Bearer secret' } })
  leaveSeat()
  expect(seated({ headers: {} })).toEqual({ headers: {} })
})

test('only a link on this machine has a seat', () => {
  expect(wantsSeat(new URL('http://127.0.0.1:8080/hq?token=a&seat=tab'))).toBe(true)
  expect(wantsSeat(new URL('http://127.0.0.1:8080/hq?token=a'))).toBe(false)
  expect(wantsSeat(new URL('https://anlan.example.cn/hq?token=a&seat=tab'))).toBe(false)
})
