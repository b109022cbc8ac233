import { describe, expect, it } from 'vitest'
import { rowAt, topsOf } from './rowTops'

const rows = (n: number) => Array.from({ length: n }, (_, i) => ({ id: `t${i}` }))

describe('a list of rows that are as high as their words', () => {
  it('counts known heights, and the least one for those that were never in sight', () => {
    expect(topsOf(rows(4), new Map([['t1', 62], ['t3', 80]]), 46)).toEqual([0, 46, 108, 154, 234])
    expect(topsOf([], new Map(), 46)).toEqual([0])
  })
  it('finds the row at a height, the last one beyond the end', () => {
    const tops = topsOf(rows(4), new Map([['t1', 62]]), 46)
    expect([0, 45.9, 46, 107, 108, 153, 9999, -5].map((at) => rowAt(tops, at))).toEqual([0, 0, 1, 1, 2, 2, 3, 0])
    expect([rowAt([0], 0), rowAt([0, 46], 900)]).toEqual([0, 0])
  })
})
