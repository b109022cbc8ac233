import { expect, it } from 'vitest'
import { currentLocale, locales } from '@/i18n'
import { HAZARDS } from './hazards'
import { hazardNames } from './hazardNames'
import { messages } from './messages'
import { bodyOf, faultOf, type HazardForm } from './report'

const form = (over: Partial<HazardForm> = {}): HazardForm => ({ type: 'piping', post: 'K9+200', side: 'land', size_m: 0, water: null, text: '', ...over })
const levee = { points: [{ lon: 113.6, lat: 34.9, chainage_m: 0 }, { lon: 113.7, lat: 34.9, chainage_m: 14_220 }], water_left: true }
const words = (of: HazardForm): string[] => [of.size_m > 0 ? `范围约 ${of.size_m} 米` : '', of.water === 'muddy' ? '出水浑浊' : '']

it('writes post, side, position and details', () => {
  expect(bodyOf(form({ size_m: 5, water: 'muddy', text: ' 冒水 ' }), { lon: 113.6, lat: 34.9 }, Date.parse('2026-07-28T14:04:00Z'), words)).toEqual({
    kind: 'hazard', type: 'piping', place: { chainage: 9200, side: 'land', lon: 113.6, lat: 34.9 }, observed_at: '2026-07-28T14:04:00.000Z', text: '范围约 5 米；出水浑浊；冒水',
  })
  expect(bodyOf(form({ post: '', side: null }), null, 0, words)).toEqual({ kind: 'hazard', type: 'piping', place: {}, observed_at: '1970-01-01T00:00:00.000Z' })
})
it.each([['K9+200', null], ['', null], ['九公里', 'badChainage'], ['K20+000', 'outside'], ['K14+220', null]])('checks the post %s', (post, fault) => {
  expect(faultOf(form({ post }), levee)).toBe(fault)
})
it('takes any post where no levee is known', () => { expect(faultOf(form({ post: 'K99+000' }), null)).toBeNull() })

it('has a drawing and both names for each kind, each kind once', () => {
  expect(new Set(HAZARDS.map((hazard) => hazard.type)).size).toBe(HAZARDS.length)
  expect(HAZARDS.filter((hazard) => hazard.group === 'levee')).toHaveLength(9)
  for (const hazard of HAZARDS) {
    expect(hazard.drawing.length, hazard.type).toBeGreaterThan(40)
    for (const locale of locales) expect(hazardNames[locale][hazard.type], `${locale} ${hazard.type}`).toBeTruthy()
  }
})
it('has the same texts in both languages, with the same places to fill', () => {
  const flat = (value: unknown, path = ''): Record<string, string> =>
    typeof value === 'string' ? { [path]: [...value.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort().join(',') }
      : Object.assign({}, ...Object.entries(value as object).map(([key, inner]) => flat(inner, `${path}.${key}`)))
  expect(currentLocale()).toBe('zh-CN')
  expect(flat(messages.en)).toEqual(flat(messages['zh-CN']))
})
