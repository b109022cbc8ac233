import { expect, it } from 'vitest'
import { withNames } from './accounts'

it('names the virtual officers of a drill and nobody else', () => {
  expect(withNames('drill-duty-a', 'zh-CN')).toBe('演练值班员甲 (drill-duty-a)')
  expect(withNames('达到 4000；drill-duty-b、drill-commander 确认', 'zh-CN')).toBe('达到 4000；演练值班员乙 (drill-duty-b)、演练指挥长 (drill-commander) 确认')
  expect(withNames('confirmed by drill-commander', 'en')).toBe('confirmed by Drill commander (drill-commander)')
  for (const other of ['duty-a', 'drill-duty-abc', 'my-drill-duty-a', 'drill-1']) expect(withNames(other, 'en')).toBe(other)
  const once = withNames('drill-duty-a', 'en')
  expect(withNames(once, 'en'), 'a named one is not named again').toBe(once)
})
