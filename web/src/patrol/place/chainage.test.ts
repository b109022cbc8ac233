import { describe, expect, it } from 'vitest'
import { bearing, chainageFrom, distance, nudge, planeOffset, pointAt, project, spotOf, type Levee } from './chainage'
import { leveeFrom } from './levee'

// A levee due east along 34.9° N, river to the north (left), 1000 m from K9+000 to K10+000, then turning north-east.
const perLon = 111_320 * Math.cos((34.9 * Math.PI) / 180)
const at = (east: number, north: number) => ({ lon: 113.6 + east / perLon, lat: 34.9 + north / 111_320 })
const levee: Levee = { points: [{ ...at(0, 0), chainage_m: 9000 }, { ...at(1000, 0), chainage_m: 10_000 }, { ...at(1700, 700), chainage_m: 11_000 }], water_left: true }

describe('project', () => {
  function check(east: number, north: number, accuracy_m: number, expected: { chainage: number; side: string; sure: boolean }): void {
    const found = project(levee, { ...at(east, north), accuracy_m })
    expect(found?.chainage_m).toBeCloseTo(expected.chainage, -0.5)
    expect([found?.side, found?.side_sure]).toEqual([expected.side, expected.sure])
  }
  it('finds post and side', () => {
    check(200, 40, 10, { chainage: 9200, side: 'water', sure: true })
    check(200, -40, 10, { chainage: 9200, side: 'land', sure: true })
    check(200, 2, 4, { chainage: 9200, side: 'crest', sure: true })
    check(1350, 350, 5, { chainage: 10_500, side: 'crest', sure: true })
    check(1350 - 30, 350 + 30, 5, { chainage: 10_500, side: 'water', sure: true })
  })
  it('is not sure of the side when GPS is worse than the distance', () => {
    check(200, 20, 30, { chainage: 9200, side: 'water', sure: false })
    check(200, 0, 30, { chainage: 9200, side: 'crest', sure: false })
  })
  it('stays on the levee beyond its ends', () => {
    check(-500, 0, 5, { chainage: 9000, side: 'land', sure: true })
  })
  it('turns the sides where the river is on the right', () => {
    expect(project({ ...levee, water_left: false }, { ...at(200, 40), accuracy_m: 5 })?.side).toBe('land')
  })
  it('gives nothing without a levee', () => {
    expect(project(null, { ...at(0, 0), accuracy_m: 5 })).toBeNull()
    expect(project({ points: [{ ...at(0, 0), chainage_m: 0 }], water_left: true }, { ...at(0, 0), accuracy_m: 5 })).toBeNull()
  })
})

describe('posts', () => {
  it.each([['K9+200', 9200], ['k10+050', 10_050], ['9+200', 9200], ['9200', 9200], ['K9+20', null], ['', null], ['九公里', null], ['-50', null]])('%s → %s', (text, metres) => {
    expect(chainageFrom(text)).toBe(metres)
  })
  it('moves by 50 m from round post to round post, within the levee', () => {
    expect(nudge(levee, 9213, 50)).toBe(9250)
    expect(nudge(levee, 9213, -50)).toBe(9200)
    expect(nudge(levee, 9250, 50)).toBe(9300)
    expect(nudge(levee, 9000, -50)).toBe(9000)
    expect(nudge(levee, 11_000, 50)).toBe(11_000)
  })
  it('finds the point of a post and back', () => {
    const point = pointAt(levee, 9640)
    expect(point && project(levee, { ...point, accuracy_m: 1 })?.chainage_m).toBeCloseTo(9640, 3)
    expect(pointAt(null, 9640)).toBeNull()
  })
  it('rounds for the wire', () => {
    expect(spotOf(9200.4, 'water', { lon: 113.61234567, lat: 34.9 })).toEqual({ chainage: 9200, side: 'water', lon: 113.612346, lat: 34.9 })
    expect(spotOf(null, null, null)).toEqual({})
  })
})

it('measures distance and bearing', () => {
  expect(distance(at(0, 0), at(300, 400))).toBeCloseTo(500, 0)
  expect(bearing(at(0, 0), at(100, 0))).toBeCloseTo(90, 1)
  expect(bearing(at(0, 0), at(0, -100))).toBeCloseTo(180, 1)
  expect(planeOffset(at(0, 0), at(0, 250)).y).toBeCloseTo(250, 6)
})

describe('leveeFrom', () => {
  const line = (from: [number, number][], properties: Record<string, unknown>) => ({ type: 'Feature', geometry: { type: 'LineString', coordinates: from }, properties })
  const [a, b, c] = [at(0, 0), at(1000, 0), at(2000, 0)].map((p): [number, number] => [p.lon, p.lat]) as [[number, number], [number, number], [number, number]]
  it('joins sections in the order of their posts', () => {
    const found = leveeFrom({ features: [line([b, c], { from_m: 10_000, to_m: 11_000 }), line([a, b], { from_m: 9000, to_m: 10_000 })] })
    expect(found?.points.map((point) => Math.round(point.chainage_m))).toEqual([9000, 10_000, 10_000, 11_000])
    expect(found?.water_left).toBe(true)
  })
  it('takes the axis, not the segments drawn over it', () => {
    const found = leveeFrom({ features: [line([a, b, c], { kind: 'levee', from_m: 0, to_m: 2000 }), line([a, b], { kind: 'segment', from_m: 0, to_m: 1000 }), { type: 'Feature', geometry: { type: 'Point', coordinates: a }, properties: { kind: 'stake' } }] })
    expect(found?.points.map((point) => Math.round(point.chainage_m))).toEqual([0, 1000, 2000])
  })
  it('measures a line without posts from zero', () => {
    expect(leveeFrom({ features: [line([a, b, c], {})] })?.points.map((point) => Math.round(point.chainage_m))).toEqual([0, 1000, 2000])
  })
  it.each([[null], [{}], [{ features: [] }], [{ features: [line([a], {})] }], [{ features: [{ geometry: { type: 'Point', coordinates: a } }] }]])('refuses %o', (layer) => {
    expect(leveeFrom(layer)).toBeNull()
  })
})
