import { expect, it } from 'vitest'
import { drillOf } from './which'

it('takes one drill, none, and nothing between', () => {
  expect(drillOf({})).toBeNull()
  expect(drillOf({ drill: 'drill-1', seat: 'tab' })).toBe('drill-1')
  // Twice, also twice the same, empty, or without a value.
  for (const drill of [['drill-1', 'drill-1'], ['a', 'b'], '', null]) expect(drillOf({ drill })).toBeUndefined()
})
