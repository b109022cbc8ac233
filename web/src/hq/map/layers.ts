// The layers of the map: where they come from, what they are called, how often they change.

export interface MapLayer {
  /** Name in `GET /map/{layer}`. */
  name: string
  /** Toggle under which it stands; several layers may share one. */
  group: string
  /** Milliseconds between two readings; 0: once. */
  every_ms: number
  /** Part of the base map: always drawn, not listed as a feature. */
  base?: boolean
}

export const MAP_LAYERS: MapLayer[] = [
  { name: 'river', group: 'base', every_ms: 0, base: true },
  { name: 'roads', group: 'base', every_ms: 0, base: true },
  { name: 'inundation', group: 'inundation', every_ms: 60_000 },
  { name: 'grids', group: 'grids', every_ms: 30_000 },
  { name: 'levee', group: 'levee', every_ms: 0 },
  { name: 'works', group: 'levee', every_ms: 0 },
  { name: 'dams', group: 'levee', every_ms: 0 },
  { name: 'stones', group: 'stones', every_ms: 30_000 },
  { name: 'routes', group: 'villages', every_ms: 60_000 },
  { name: 'villages', group: 'villages', every_ms: 30_000 },
  { name: 'shelters', group: 'villages', every_ms: 0 },
  { name: 'depots', group: 'depots', every_ms: 60_000 },
  { name: 'defence-points', group: 'depots', every_ms: 0 },
  { name: 'members', group: 'members', every_ms: 15_000 },
  { name: 'hazards', group: 'hazards', every_ms: 60_000 },
  { name: 'gauges', group: 'gauges', every_ms: 60_000 },
  { name: 'cameras', group: 'cameras', every_ms: 0 },
  { name: 'drones', group: 'drones', every_ms: 300_000 },
]

export const GROUPS = ['inundation', 'grids', 'levee', 'stones', 'members', 'hazards', 'gauges', 'depots', 'villages', 'cameras', 'drones'] as const
export type Group = (typeof GROUPS)[number]
export const SHOWN_AT_FIRST: Group[] = ['inundation', 'grids', 'levee', 'stones', 'members', 'hazards', 'gauges', 'depots', 'villages']

/** Layers as the list of features ranks them: what asks for action first. */
export const LIST_ORDER = ['hazards', 'gauges', 'works', 'villages', 'depots', 'defence-points', 'shelters', 'grids', 'cameras', 'drones', 'stones', 'members', 'routes', 'dams', 'levee', 'inundation']
