import { describe, expect, it } from 'vitest'
import type { Grade, Point } from '@/api/types'
import { align, axisRange, crossings, expectedAt, peak, tracks, usualInterval } from './tracks'

const T0 = Date.parse('2026-07-28T00:00:00Z') / 1000
/** `m`: minutes after the start. */
const at = (m: number, v: number | null, q: Grade = 'good'): Point => ({ t: new Date((T0 + m * 60) * 1000).toISOString(), v, q })
const minutes = (t: number[]): number[] => t.map((x) => (x - T0) / 60)

describe('the line of a series', () => {
  it('bridges two intervals and breaks at more', () => {
    const { solid } = tracks([at(0, 1), at(5, 2), at(15, 3), at(26, 4)], 300)
    expect(minutes(solid.t)).toEqual([0, 5, 15, 20.5, 26])
    expect(solid.v).toEqual([1, 2, 3, null, 4])
  })

  it('treats a null value as missing, not as zero', () => {
    const { solid } = tracks([at(0, 1), at(5, null), at(10, null), at(15, 2)], 300)
    expect(solid.v).toEqual([1, null, 2])
  })

  it('keeps flagged points off the line and shows them apart', () => {
    const { solid, flagged } = tracks([at(0, 1), at(5, 99, 'bad'), at(10, 2), at(15, 50, 'suspect')], 300)
    expect(solid.v).toEqual([1, 2])
    expect(flagged.v).toEqual([99, 50])
  })

  it('dots an estimated stretch from the last measured point to the next', () => {
    const { solid, dotted } = tracks([at(0, 1), at(5, 2, 'estimated'), at(10, 3, 'estimated'), at(15, 4), at(20, 5)], 300)
    expect(minutes(dotted.t)).toEqual([0, 5, 10, 15])
    expect(dotted.v).toEqual([1, 2, 3, 4])
    expect(minutes(solid.t)).toEqual([0, 2.5, 15, 20])
    expect(solid.v).toEqual([1, null, 4, 5])
  })

  it('dots a lone estimate and does not join two dotted stretches', () => {
    const { dotted } = tracks([at(0, 1), at(5, 2, 'estimated'), at(10, 3), at(15, 3), at(20, 4, 'estimated')], 300)
    expect(minutes(dotted.t)).toEqual([0, 5, 10, 12.5, 15, 20])
    expect(dotted.v).toEqual([1, 2, 3, null, 3, 4])
  })

  it('marks what a person entered', () => {
    expect(tracks([at(0, 1), at(5, 2, 'manual')], 300).manual.v).toEqual([2])
  })

  it('survives unreadable times', () => {
    expect(tracks([{ t: 'never', v: 1, q: 'good' }], 300).solid.v).toEqual([])
  })
})

describe('one axis for all tracks', () => {
  it('leaves holes undefined, which is not a break', () => {
    expect(align([{ t: [1, 3], v: [10, 30] }, { t: [2, 3], v: [null, 5] }])).toEqual([[1, 2, 3], [10, undefined, 30], [undefined, null, 5]])
  })
})

describe('marks', () => {
  it('finds a peak inside, not one that is still rising', () => {
    expect(peak([at(0, 1), at(5, 9), at(10, 2)])).toEqual({ t: T0 + 300, v: 9 })
    expect(peak([at(0, 1), at(5, 9)])).toBeNull()
    expect(peak([])).toBeNull()
    expect(peak([at(0, 1), at(5, 100), at(10, 99)]), 'a ripple').toBeNull()
    expect(peak([at(0, 5), at(5, 5)]), 'still water').toBeNull()
  })

  it('names the highest that was measured, not the mean of its step', () => {
    const steps = [at(0, 5000), { ...at(10, 5972), n: 10, min: 5600, max: 6310 }, { ...at(20, 5990), n: 10, min: 5900, max: 6050 }, at(30, 4000)]
    expect(peak(steps)).toEqual({ t: T0 + 600, v: 6310 })
    // A lone value may come without its extremes; a null one has none.
    expect(peak([at(0, 1), { ...at(5, null), max: 99 }, at(10, 7), at(15, 2)])).toEqual({ t: T0 + 600, v: 7 })
  })

  it('finds crossings both ways and none over a gap', () => {
    const marks = crossings([at(0, 3000), at(10, 5000), at(20, 3000)], 4000, 600)
    expect(marks.map((mark) => [(mark.t - T0) / 60, mark.rising])).toEqual([[5, true], [15, false]])
    expect(crossings([at(0, 3000), at(60, 5000)], 4000, 600)).toEqual([])
  })

  it('takes the median distance as the usual one', () => {
    expect(usualInterval([at(0, 1), at(5, 1), at(10, 1), at(60, 1)], 60)).toBe(300)
    expect(usualInterval([at(0, 1)], 60)).toBe(60)
  })
})

describe('axis', () => {
  it('starts discharge at zero and stage at a round number below', () => {
    expect(axisRange(3800, 4300, true)[0]).toBe(0)
    const [low, high] = axisRange(92.3, 92.9, false)
    expect(low).toBeLessThan(92.3)
    expect(high).toBeGreaterThan(92.9)
    expect(low).toBeGreaterThan(91)
  })

  it('has an answer when there is nothing', () => expect(axisRange(Infinity, -Infinity, true)).toEqual([0, 1]))
})

it('a forecast is straight between its points, and tells nothing beyond them or in a hole', () => {
  const points = [at(0, 5400), at(60, 5600), at(120, null), at(180, 6000), at(600, 7000)]
  const told = (m: number) => expectedAt(points, T0 + m * 60)
  expect([0, 15, 60, 90, 150, 300, 601].map(told)).toEqual([5400, 5450, 5600, null, null, null, null])
})
