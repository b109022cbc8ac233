import { expect, it } from 'vitest'
import { damNear, damsFrom, openHazardsFrom } from './works'
import { mapLinks, octant, saidDistance, wayTo } from './way'

it.each([[0, 0], [22, 0], [23, 1], [90, 2], [180, 4], [337, 7], [338, 0], [-90, 6]])('%d° is octant %d', (degrees, expected) => { expect(octant(degrees)).toBe(expected) })
it.each([[0, 'm', '0'], [343, 'm', '340'], [994, 'm', '990'], [996, 'km', '1.0'], [2640, 'km', '2.6']])('%d m', (metres, unit, text) => { expect(saidDistance(metres)).toEqual({ unit, text }) })
it('finds the way', () => {
  const way = wayTo({ lon: 113.6, lat: 34.9 }, { lon: 113.6, lat: 34.91 })
  expect(way.octant).toBe(0)
  expect(way.metres).toBeCloseTo(1113, 0)
})
it('escapes names in links', () => {
  expect(mapLinks({ lon: 113.6, lat: 34.9 }, '马渡 & 85坝').geo).toBe('geo:34.900000,113.600000?q=34.900000,113.600000(%E9%A9%AC%E6%B8%A1%20%26%2085%E5%9D%9D)')
})

const dam = (id: string, chainage_m: unknown) => ({ id, geometry: { type: 'LineString', coordinates: [[113.6, 34.9], [113.6, 34.901]] }, properties: { id, chainage_m, number: 85, name_zh: '马渡85坝', name_en: 'Madu Dam 85', work: 'work-madu' } })
it('reads dams upstream first and finds the nearest', () => {
  const dams = damsFrom({ features: [dam('b', 9600), dam('a', 9500), dam('none', null)] })
  expect(dams.map((found) => found.id)).toEqual(['a', 'b'])
  expect(damNear(dams, 9540)?.id).toBe('a')
  expect(damNear(dams, 9800)).toBeNull()
  expect(damsFrom(null)).toEqual([])
})
it('shows only open hazards', () => {
  const at = (id: string, state: string, kind = 'hazard') => ({ id, geometry: { type: 'Point', coordinates: [113.6, 34.9] }, properties: { kind, type: 'piping', state, place: { chainage: 9500 } } })
  const found = openHazardsFrom({ features: [at('1', 'open'), at('2', 'resolved'), at('3', 'open', 'sos'), { geometry: null, properties: { kind: 'hazard', type: 'piping', state: 'open' } }] })
  expect(found).toEqual([{ id: '1', type: 'piping', lon: 113.6, lat: 34.9, chainage_m: 9500, since: null }])
})
