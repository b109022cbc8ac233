// How each layer is drawn. No glyphs, no sprites, no tiles of others: labels come from the fonts of the machine.
import type { ExpressionSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl'
import { MAP_LAYERS, type MapLayer } from './layers'

export const emptyStyle = (): StyleSpecification => ({
  version: 8,
  sources: {},
  layers: [{ id: 'background', type: 'background', paint: { 'background-color': '#0d1822' } }],
})

/** Text font names are families of the machine; MapLibre draws them itself when a style names no glyphs. */
const FONT = ['Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'sans-serif']
const DEPTHS: ExpressionSpecification = ['step', ['to-number', ['get', 'depth_m'], 0], '#b5dfe9', 0.5, '#6fb9dc', 1, '#3f8bca', 2, '#3464b4', 3, '#46449f']
const NAME = ['name_zh', 'name_en'] as const
const halo = { 'text-color': '#e6eef5', 'text-halo-color': '#0d1822', 'text-halo-width': 1.6 }
/** The levee itself; its stretches lie on top of it and are only listed. */
const levee: ExpressionSpecification = ['all', ['==', ['geometry-type'], 'LineString'], ['!=', ['get', 'kind'], 'segment']]
const pointOnly: ExpressionSpecification = ['==', ['geometry-type'], 'Point']

export function sourceOf(layer: MapLayer): SourceSpecification {
  const data = { type: 'FeatureCollection' as const, features: [] }
  if (layer.name !== 'stones') return { type: 'geojson', data }
  const moved: ExpressionSpecification = ['case', ['in', ['coalesce', ['get', 'state'], 'still'], ['literal', ['moved', 'shaking', 'cut-line', 'lost']]], 1, 0]
  return { type: 'geojson', data, cluster: true, clusterMaxZoom: 12, clusterRadius: 44, clusterProperties: { moved: ['+', moved] } }
}

/** Layers of one source, from the bottom up. `en` picks the names. */
export function layersOf(name: string, en: boolean): LayerSpecification[] {
  const label: ExpressionSpecification = ['coalesce', ['get', en ? NAME[1] : NAME[0]], ['get', en ? NAME[0] : NAME[1]], '']
  const text = (size: number, extra = {}): Record<string, unknown> => ({ 'text-field': label, 'text-font': FONT, 'text-size': size, ...extra })
  const of = (part: string, rest: Record<string, unknown>): LayerSpecification => ({ id: `${name}/${part}`, source: name, ...rest }) as unknown as LayerSpecification
  switch (name) {
    case 'river': return [
      of('plain', { type: 'fill', filter: ['==', ['get', 'kind'], 'floodplain'], paint: { 'fill-color': '#10202b' } }),
      of('fill', { type: 'fill', filter: ['all', ['==', ['geometry-type'], 'Polygon'], ['!', ['in', ['get', 'kind'], ['literal', ['floodplain', 'bar']]]]], paint: { 'fill-color': '#123f66' } }),
      of('bar', { type: 'fill', filter: ['==', ['get', 'kind'], 'bar'], paint: { 'fill-color': '#1d3340' } }),
      of('line', { type: 'line', filter: ['==', ['geometry-type'], 'LineString'], paint: { 'line-color': '#2e74a8', 'line-width': 2.5, 'line-dasharray': [4, 3] } }),
      of('label', { type: 'symbol', filter: ['in', ['coalesce', ['get', 'kind'], 'channel'], ['literal', ['channel', 'centreline']]], layout: text(14, { 'text-letter-spacing': 0.4 }), paint: { 'text-color': '#9cc9ea', 'text-halo-color': '#123f66', 'text-halo-width': 1 } }),
    ]
    case 'roads': return [of('line', { type: 'line', paint: { 'line-color': '#2b3c49', 'line-width': ['interpolate', ['linear'], ['zoom'], 11, 0.8, 15, 3] } })]
    case 'inundation': return [of('fill', { type: 'fill', paint: { 'fill-color': DEPTHS, 'fill-opacity': 0.66, 'fill-antialias': false } })]
    case 'grids': return [
      of('fill', { type: 'fill', paint: { 'fill-color': ['match', ['coalesce', ['get', 'state'], 'normal'], 'hazard', '#4a3212', 'overdue', '#4a1a1f', '#14232f'], 'fill-opacity': 0.75 } }),
      of('hatch', { type: 'fill', filter: ['==', ['get', 'state'], 'unstaffed'], paint: { 'fill-pattern': 'unstaffed' } }),
      of('line', { type: 'line', paint: { 'line-color': ['match', ['coalesce', ['get', 'state'], 'normal'], 'hazard', '#b58a3f', 'overdue', '#ff8f8a', '#3a5468'], 'line-width': ['match', ['coalesce', ['get', 'state'], 'normal'], ['hazard', 'overdue'], 1.8, 1] } }),
      of('label', { type: 'symbol', minzoom: 12, layout: { 'text-field': ['to-string', ['coalesce', ['get', 'number'], ['get', 'label'], '']], 'text-font': FONT, 'text-size': 11 }, paint: { ...halo, 'text-color': '#8fa3b3' } }),
    ]
    case 'levee': return [
      of('casing', { type: 'line', filter: levee, paint: { 'line-color': '#0d1822', 'line-width': 6 } }),
      of('line', { type: 'line', filter: levee, paint: { 'line-color': '#d9c89a', 'line-width': 3.5 } }),
      of('tick', { type: 'circle', filter: pointOnly, paint: { 'circle-radius': 3, 'circle-color': '#0d1822', 'circle-stroke-color': '#d9c89a', 'circle-stroke-width': 1.5 } }),
      of('label', { type: 'symbol', filter: pointOnly, minzoom: 11.5, layout: text(11, { 'text-offset': [0, 1.1] }), paint: { ...halo, 'text-color': '#cfc29c' } }),
    ]
    case 'works': return [
      of('fill', { type: 'fill', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': '#d9c89a', 'fill-opacity': 0.12 } }),
      of('line', { type: 'line', paint: { 'line-color': '#d9c89a', 'line-width': 0.8, 'line-opacity': 0.5 } }),
      of('label', { type: 'symbol', layout: text(14, { 'text-offset': [0, -2.2] }), paint: { ...halo, 'text-color': '#f3e7c4', 'text-halo-width': 2 } }),
    ]
    case 'dams': return [
      of('line', { type: 'line', minzoom: 11, paint: { 'line-color': '#d9c89a', 'line-width': ['interpolate', ['linear'], ['zoom'], 11, 1, 15, 4] } }),
      of('label', { type: 'symbol', minzoom: 14, layout: { 'text-field': ['to-string', ['coalesce', ['get', 'number'], '']], 'text-font': FONT, 'text-size': 11 }, paint: halo }),
    ]
    case 'stones': return [
      of('cluster', { type: 'circle', filter: ['has', 'point_count'], paint: { 'circle-translate': [0, -20], 'circle-radius': 13, 'circle-color': '#12301f', 'circle-stroke-width': 1.5, 'circle-stroke-color': ['case', ['>', ['get', 'moved'], 0], '#ffe45c', '#35c46a'] } }),
      of('count', { type: 'symbol', filter: ['has', 'point_count'], layout: { 'text-field': ['case', ['>', ['get', 'moved'], 0], ['concat', ['get', 'point_count_abbreviated'], '·', ['get', 'moved'], '▲'], ['to-string', ['get', 'point_count_abbreviated']]], 'text-font': FONT, 'text-size': 11, 'text-allow-overlap': true }, paint: { ...halo, 'text-translate': [0, -20] } }),
      of('sign', { type: 'symbol', filter: ['!', ['has', 'point_count']], layout: { 'icon-image': ['concat', 'stone/', ['match', ['coalesce', ['get', 'state'], 'still'], ['moved', 'shaking'], 'moved', ['lost', 'cut-line'], 'moved-fast', 'silent', 'offline', 'ok']], 'icon-allow-overlap': true, 'symbol-sort-key': ['match', ['coalesce', ['get', 'state'], 'still'], ['lost', 'cut-line'], 3, ['moved', 'shaking'], 2, 1] } }),
    ]
    case 'routes': return [
      of('line', { type: 'line', layout: { 'line-cap': 'round' }, paint: { 'line-color': ['case', ['to-boolean', ['get', 'flooded']], '#ff8f8a', '#7fe0a3'], 'line-width': 2.5, 'line-dasharray': [2, 2] } }),
      of('arrow', { type: 'symbol', minzoom: 11.5, layout: { 'symbol-placement': 'line', 'symbol-spacing': 90, 'icon-image': ['case', ['to-boolean', ['get', 'flooded']], 'route/flooded', 'arrow'], 'icon-allow-overlap': true } }),
    ]
    case 'villages': return [
      of('sign', { type: 'symbol', layout: { ...text(13, { 'text-anchor': 'left', 'text-offset': [0.9, 0], 'text-optional': true }), 'icon-image': ['concat', 'village/', ['match', ['coalesce', ['get', 'state'], 'not-started'], ['moving', 'done'], ['get', 'state'], 'not-started']], 'icon-allow-overlap': true }, paint: halo }),
    ]
    case 'shelters': return [of('sign', { type: 'symbol', layout: { 'icon-image': ['case', ['to-boolean', ['get', 'flooded']], 'shelter/flooded', 'shelter'], 'icon-allow-overlap': true } })]
    case 'depots': return [of('sign', { type: 'symbol', layout: { 'icon-image': ['case', ['to-boolean', ['get', 'low']], 'depot/low', 'depot'], 'icon-allow-overlap': true } })]
    case 'defence-points': return [of('sign', { type: 'symbol', minzoom: 12.6, layout: { 'icon-image': 'defence-point', 'icon-allow-overlap': true } })]
    case 'members': return [
      of('chosen', { type: 'symbol', filter: ['in', ['get', 'id'], ['literal', []]], layout: { 'icon-image': 'chosen', 'icon-allow-overlap': true } }),
      of('sign', { type: 'symbol', layout: { ...text(11, { 'text-offset': [0, 1.2], 'text-optional': true }), 'text-field': ['step', ['zoom'], '', 14, label], 'icon-image': ['concat', 'member/', ['match', ['coalesce', ['get', 'state'], 'on-duty'], ['unanswered', 'lost-contact', 'sos'], ['get', 'state'], 'on-duty']], 'icon-allow-overlap': true, 'symbol-sort-key': ['match', ['coalesce', ['get', 'state'], 'on-duty'], 'sos', 3, 'lost-contact', 2, 'unanswered', 1, 0] }, paint: halo }),
    ]
    case 'hazards': return [
      of('sign', { type: 'symbol', layout: { ...text(12, { 'text-anchor': 'left', 'text-offset': [1.5, 0], 'text-optional': true, 'text-max-width': 14 }), 'text-field': ['step', ['zoom'], '', 12, label], 'icon-image': ['get', 'icon'], 'icon-allow-overlap': true, 'symbol-sort-key': ['to-number', ['get', 'grade'], 0] }, paint: { ...halo, 'text-color': '#ffd7d5' } }),
    ]
    case 'gauges': {
      const rain: ExpressionSpecification = ['==', ['get', 'kind'], 'rain']
      const river: ExpressionSpecification = ['case', rain, '', label]
      const withValue: ExpressionSpecification = ['concat', label, ' ', ['coalesce', ['get', 'value_text'], '']]
      return [
      of('sign', { type: 'symbol', layout: { ...text(13, { 'text-anchor': 'left', 'text-offset': [1.1, 0], 'text-optional': true }), 'text-field': ['step', ['zoom'], river, 11, ['case', rain, '', withValue], 13, withValue], 'icon-image': ['coalesce', ['get', 'icon'], 'gauge/none'], 'icon-allow-overlap': true, 'icon-size': ['case', rain, 0.7, 1] }, paint: halo }),
      ]
    }
    case 'cameras': return [of('sign', { type: 'symbol', layout: { 'icon-image': 'camera', 'icon-allow-overlap': true } })]
    // Flown tracks are whole lines, flights that are planned are dashed.
    case 'drones': return [
      of('track', { type: 'line', filter: ['==', ['get', 'kind'], 'track'], layout: { 'line-cap': 'round' }, paint: { 'line-color': '#c9a6ff', 'line-width': 2 } }),
      of('mission', { type: 'line', filter: ['==', ['get', 'kind'], 'mission'], paint: { 'line-color': '#c9a6ff', 'line-width': 1.5, 'line-dasharray': [3, 2] } }),
      of('label', { type: 'symbol', minzoom: 13, layout: { ...text(11, { 'symbol-placement': 'line', 'text-optional': true }), 'text-field': ['get', 'name'] }, paint: halo }),
    ]
    default: return []
  }
}

/** Fills of ground that water covers: they lie under it, their outlines and labels stay on top. */
const GROUND = ['grids/fill']

/** All layers of the map from the bottom up. No ground hides the water that stands on it. */
export function drawOrder(en: boolean): LayerSpecification[] {
  const all = MAP_LAYERS.flatMap((layer) => layersOf(layer.name, en))
  const ground = all.filter((layer) => GROUND.includes(layer.id))
  const others = all.filter((layer) => !GROUND.includes(layer.id))
  const water = others.findIndex((layer) => layer.id.startsWith('inundation/'))
  return [...others.slice(0, water), ...ground, ...others.slice(water)]
}
