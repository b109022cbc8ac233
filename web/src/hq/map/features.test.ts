import type { FeatureCollection } from 'geojson'
import { describe, expect, it } from 'vitest'
import { bounds, inside, listRows } from './features'

const point = (id: string, lon: number, lat: number, properties = {}): FeatureCollection['features'][number] => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, name_zh: id, ...properties } })
const layers = new Map<string, FeatureCollection>([
  ['stones', { type: 'FeatureCollection', features: [point('s1', 1, 1), point('s2', 9, 9)] }],
  ['hazards', { type: 'FeatureCollection', features: [point('h1', 1, 1, { state: 'resolved', grade: 3 }), point('h2', 2, 2, { state: 'open', grade: 1, chainage_m: 9200 }), point('h3', 2, 2, { state: 'open', grade: 3 })] }],
])

describe('the list of features', () => {
  it('puts open hazards by grade before everything else and keeps to the view', () => {
    const { rows, more } = listRows(layers, () => true, [0, 0, 5, 5], 10)
    expect(rows.map((row) => row.id)).toEqual(['h3', 'h2', 'h1', 's1'])
    expect(rows[1]?.place).toBe('K9+200')
    expect(more).toBe(0)
  })
  it('says how many it left out', () => {
    const { rows, more } = listRows(layers, () => true, null, 2)
    expect(rows).toHaveLength(2)
    expect(more).toBe(3)
  })
  it('leaves out layers that are switched off', () => expect(listRows(layers, (layer) => layer === 'stones', null, 9).rows.map((row) => row.id)).toEqual(['s1', 's2']))
})

describe('geometry', () => {
  const ring = [[0, 0], [4, 0], [4, 4], [2, 1], [0, 4]]
  it.each([[[1, 1], true], [[2, 3], false], [[3.5, 3], true], [[5, 1], false], [[NaN, 1], false]] as const)('%j is inside: %s', (at, expected) => expect(inside([...at], ring)).toBe(expected))
  it('has no box for nothing', () => expect(bounds({ type: 'LineString', coordinates: [] })).toBeNull())
})
