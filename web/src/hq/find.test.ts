import type { FeatureCollection } from 'geojson'
import { describe, expect, it } from 'vitest'
import { find, parseChainage } from './find'

describe('search', () => {
  it.each([['K9+200', 9200], ['k9', 9000], ['9+200', 9200], ['Ｋ９＋２００', 9200], ['9', null], ['K', null], ['花园口', null]])('reads %s as %s', (text, expected) => expect(parseChainage(text)).toBe(expected))

  it('finds the dam nearest to a chainage and nothing far from all', () => {
    const layers = new Map<string, FeatureCollection>([['dams', { type: 'FeatureCollection', features: [
      { type: 'Feature', geometry: { type: 'Point', coordinates: [1, 2] }, properties: { id: 'd1', name_zh: '1 坝', chainage_m: 9000 } },
      { type: 'Feature', geometry: { type: 'Point', coordinates: [3, 4] }, properties: { id: 'd2', name_zh: '2 坝', chainage_m: 9250 } },
    ] }]])
    expect(find('K9+200', [], [], layers)[0]?.id).toBe('d2')
    expect(find('K2+000', [], [], layers)).toEqual([])
  })
})
