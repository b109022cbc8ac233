import { expect, test } from 'vitest'
import { waterPath } from './useMapData'

test('the water of the preview follows the scrubber, that of now does not', () => {
  expect(waterPath(null, 3)).toBe('/map/inundation')
  expect(waterPath(22000, null)).toBe('/map/inundation?scenario=22000')
  expect(waterPath(22000, -4)).toBe('/map/inundation?scenario=22000')
  expect(waterPath(22000, 4.5)).toBe('/map/inundation?scenario=22000&hour=4.50')
  expect(waterPath(9000, 1, 7)).toBe('/map/inundation?scenario=9000&run=7&hour=1.00')
  expect(waterPath(9000, 4.5, null, 'work-madu')).toBe('/map/inundation?scenario=9000&breach=work-madu&hour=4.50')
  expect(waterPath(9000, null, 7, 'work-madu')).toBe('/map/inundation?scenario=9000&breach=work-madu&run=7')
  expect(waterPath(9000, 900)).toBe('/map/inundation?scenario=9000&hour=240.00')
})
