import { describe, expect, it } from 'vitest'
import type { Series, TwinNow } from '@/api/types'
import { assumedCutWays, assumedWetShelters, cutWays, hoursAhead, outlookAt, wetShelters, type Outlook } from './outlook'

const NOW = Date.parse('1958-07-16T10:15:37Z')
const HOUR = 3_600_000
/** As `GET /twin/now` answers, in what is read here. */
const twin = (change: Partial<TwinNow> = {}): TwinNow => ({ state: 'live', discharge: { m3s: 5432, at: '1958-07-16T10:15:37Z', age_s: 0, looked_up_m3s: 5432 }, breaches: [], ways: [], places: [], ...change }) as TwinNow
const point = (h: number, v: number) => ({ t: new Date(NOW + h * HOUR).toISOString(), v, low: v - 100, high: v + 900 })
const forecast: Series['forecast'] = { issued_at: '1958-07-16T10:10:00Z', method: { zh: '', en: '' }, points: [point(1, 5632), point(2, 6032), point(3, 5000)] }
const at = (hours: number, own = twin(), told: Series['forecast'] = forecast) => outlookAt(NOW + hours * HOUR, hours, own, told)

describe('the water of an hour to come', () => {
  it('is that of the discharge between two hours of the forecast, and before the first of them from the measured one on', () => {
    expect(at(1.5)).toEqual({ at_ms: NOW + 1.5 * HOUR, hours: 1.5, discharge_m3s: 5832, low_m3s: 5732, high_m3s: 6732, breach: null, issued_at: '1958-07-16T10:10:00Z', beyond_peak: false })
    expect((at(0.5) as Outlook).discharge_m3s).toBe(5532)
    expect((at(3) as Outlook).discharge_m3s).toBe(5000)
  })
  it('says when more water came before it', () => {
    expect([1, 2, 3].map((h) => (at(h) as Outlook).beyond_peak)).toEqual([false, false, true])
  })
  it('looks up what the gauge adds, and goes with the breach that is reported at a known place', () => {
    const own = twin({ discharge: { m3s: 5432, at: '1958-07-16T10:15:37Z', age_s: 0, looked_up_m3s: 5932 }, breaches: [{ site: null, name: null, since: '' }, { site: 'work-madu', name: null, since: '' }] })
    expect(at(1, own)).toMatchObject({ discharge_m3s: 6132, low_m3s: 6032, breach: 'work-madu' })
  })
  it('is none beyond the forecast, without one, and without a twin', () => {
    expect(at(3.1)).toEqual({ at_ms: NOW + 3.1 * HOUR, hours: 3.1, none: 'forecast' })
    expect(at(1, twin(), null)).toMatchObject({ none: 'forecast' })
    expect(at(8, twin(), { ...forecast!, points: [point(1, 5632), point(8, 6032)] })).toMatchObject({ none: 'forecast' })
    expect([at(1, twin({ state: 'unknown' })), outlookAt(NOW, 1, null, forecast)]).toEqual([expect.objectContaining({ none: 'twin' }), expect.objectContaining({ none: 'twin' })])
  })
  it('begins where the time control is more than a hair ahead of now', () => expect([null, -4, 0, 0.04, 0.1, 12].map(hoursAhead)).toEqual([null, null, null, null, 0.1, 12]))
})

describe('ways out that are cut', () => {
  it('by then, as the live twin has it', () => {
    const way = (id: string, h: number | null) => ({ id, at: h === null ? null : new Date(NOW + h * HOUR).toISOString() }) as TwinNow['ways'][number]
    expect([...cutWays(twin({ ways: [way('a', -1), way('b', 2), way('c', 5), way('d', null)] }), NOW + 2 * HOUR)]).toEqual(['a', 'b'])
    expect(cutWays(null, NOW).size).toBe(0)
  })
  it('within the hours of an assumed discharge, or ever', () => {
    const routes = [{ id: 'a', cut_at_h: 1.25 }, { id: 'b', cut_at_h: 8 }, { id: 'c', cut_at_h: null }]
    expect([[...assumedCutWays(routes, 4)], [...assumedCutWays(routes, null)]]).toEqual([['a'], ['a', 'b']])
  })
})

it('tells the shelters that have water at an hour, live and assumed', () => {
  const place = (id: string, kind: string, h: number) => ({ id, kind, at: new Date(NOW + h * HOUR).toISOString(), is_there: h <= 0 })
  const own = twin({ places: [place('shelter-1', 'shelter', -1), place('shelter-2', 'shelter', 3), place('village-1', 'village', 1)] as unknown as TwinNow['places'] })
  expect([[...wetShelters(own, -Infinity)], [...wetShelters(own, NOW + 4 * HOUR)], [...wetShelters(null, NOW)]]).toEqual([['shelter-1'], ['shelter-1', 'shelter-2'], []])
  const assumed = [{ id: 'shelter-1', arrival_min: 291 }, { id: 'shelter-2', arrival_min: null }]
  expect([[...assumedWetShelters(assumed, null)], [...assumedWetShelters(assumed, 4)], [...assumedWetShelters(assumed, 5)]]).toEqual([['shelter-1', 'shelter-2'], ['shelter-2'], ['shelter-1', 'shelter-2']])
})
