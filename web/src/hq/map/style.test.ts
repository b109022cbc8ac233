import { expect, it } from 'vitest'
import { MAP_LAYERS } from './layers'
import { drawOrder, layersOf } from './style'

it('draws the water above the ground of the cells, and their outlines and names above the water', () => {
  const order = drawOrder(false).map((layer) => layer.id)
  const at = (id: string): number => order.indexOf(id)
  expect(at('river/fill')).toBeLessThan(at('grids/fill'))
  expect(at('grids/fill')).toBeLessThan(at('inundation/fill'))
  for (const over of ['grids/hatch', 'grids/line', 'grids/label', 'levee/line', 'routes/line', 'shelters/sign']) expect(at(over)).toBeGreaterThan(at('inundation/fill'))
})

it('leaves out no layer and draws none twice', () => {
  const all = MAP_LAYERS.flatMap((layer) => layersOf(layer.name, true)).map((layer) => layer.id)
  expect(drawOrder(true).map((layer) => layer.id).sort()).toEqual(all.sort())
})
