// The places that an assumed discharge floods, kind by kind, as rows of one table: earliest first, of equal ones the deepest.
import type { Flooded, FloodedClass, Hazard, Inundation } from '@/api/types'
import { number } from '@/format/number'
import { pick } from '@/i18n'
import { lasting } from './water'

type Translate = (key: string, named?: Record<string, unknown>) => string
/** Names of the classes of households and of growers by their codes: another answer of the server has them. */
export interface ClassNames { households: Map<string, string>; growers: Map<string, string> }

export const KINDS = ['village', 'household', 'shelter', 'route', 'grower', 'farm', 'depot', 'post', 'dam', 'levee', 'cell'] as const
export type Kind = (typeof KINDS)[number]

/** `bad`: what is to catch the eye. `text`: a cell in words, `title`: what it means in more words. */
export interface FloodedRow { id: string; name: string; cells: { text: string; title?: string }[]; bad: boolean }
/** `of`: how many there are, where that is known. `alarm`: nobody may go there any more. */
export interface FloodedKind { kind: Kind; n: number; of: number | null; alarm: boolean; heads: string[]; rows: FloodedRow[] }

const last = (minutes: number | null): number => minutes ?? Infinity
const byArrival = (a: { arrival_min: number | null; depth_m: number }, b: { arrival_min: number | null; depth_m: number }): number => {
  const [before, after] = [last(a.arrival_min), last(b.arrival_min)]
  return before === after ? b.depth_m - a.depth_m : before - after
}

/** All kinds, in the order of what asks for action first; those that stay dry, too: that is told as well. */
export function floodedKinds(water: Inundation, names: ClassNames, t: Translate): FloodedKind[] {
  const depth = (m: number): string => t('hq.water.depth', { m: number(m, 1) })
  const hazard = (own: Hazard | null): { text: string; title?: string } => (own ? { text: own.class, title: pick(own.words) } : { text: '—' })
  /** Before the river rises at all: it stands in the river. */
  const arrival = (minutes: number | null): string => (minutes === 0 ? t('hq.water.inRiver') : lasting(minutes, t))
  const people = (own: number | null): string => (own === null ? '—' : number(own))

  function places(kind: Kind, list: Flooded[], alarm = false): FloodedKind {
    const counted = list.some((place) => place.people !== null)
    const rows = [...list].sort(byArrival).map((place): FloodedRow => ({
      id: place.id, name: pick(place.name), bad: alarm,
      cells: [{ text: arrival(place.arrival_min) }, { text: depth(place.depth_m), title: t('hq.water.speed', { ms: number(place.speed_ms, 1) }) }, hazard(place.hazard), ...(counted ? [{ text: people(place.people) }] : [])],
    }))
    const heads = [t('hq.water.earliest'), t(kind === 'dam' ? 'hq.water.headDepth' : 'hq.water.deepest'), t('hq.water.hazard'), ...(counted ? [t('hq.water.persons')] : [])]
    return { kind, n: list.length, of: null, alarm: alarm && list.length > 0, heads, rows }
  }

  function classes(kind: Kind, list: FloodedClass[], called: Map<string, string>): FloodedKind {
    const sum = (key: 'wet' | 'all'): number => list.reduce((total, own) => total + own[key], 0)
    const rows = list.filter((own) => own.wet > 0).sort(byArrival).map((own): FloodedRow => ({
      id: own.class, name: called.get(own.class) ?? own.class, bad: false,
      cells: [{ text: `${number(own.wet)}/${number(own.all)}` }, { text: arrival(own.arrival_min) }, { text: depth(own.depth_m) }, hazard(own.hazard), { text: people(own.people) }],
    }))
    const heads = [t('hq.water.homesWet'), t('hq.water.earliest'), t('hq.water.deepest'), t('hq.water.hazard'), t('hq.water.persons')]
    return { kind, n: sum('wet'), of: sum('all'), alarm: false, heads, rows }
  }

  function ways(): FloodedKind {
    const cut = (hours: number | null): number => hours ?? Infinity
    const sorted = [...water.routes].sort((a, b) => (a.cut_at_h === b.cut_at_h ? 0 : cut(a.cut_at_h) - cut(b.cut_at_h)))
    const nameOf = (id: string | null): string => pick(water.routes.find((way) => way.id === id)?.name)
    const rows = sorted.map((way): FloodedRow => {
      if (way.cut_at_h === null) return { id: way.id, name: pick(way.name), bad: false, cells: [{ text: t(water.scenario.rests === 'above' ? 'hq.water.openUnknown' : 'hq.water.staysOpen') }, { text: '' }] }
      // Only the first choice of a village says what to take in its place.
      const closed = way.rank === 1 ? water.no_way_out.find((one) => one.village === way.village) : undefined
      const instead = closed ? nameOf(closed.instead) || t('hq.water.noWay') : ''
      return { id: way.id, name: pick(way.name), bad: true, cells: [{ text: lasting(Math.round(way.cut_at_h * 60), t) }, { text: instead, title: pick(closed?.words) }] }
    })
    const n = water.routes.filter((way) => way.cut_at_h !== null).length
    return { kind: 'route', n, of: water.routes.length, alarm: n > 0, heads: [t('hq.water.cutAfter'), t('hq.water.instead')], rows }
  }

  /** Least freeboard first, as the server has them. */
  function levee(): FloodedKind {
    const wet = water.levee.filter((line) => line.toe_depth_m > 0 || line.overtops)
    const rows = wet.map((line): FloodedRow => ({
      id: line.place, name: line.name ? pick(line.name) : line.place, bad: line.overtops,
      cells: [{ text: arrival(line.toe_arrival_min) }, { text: depth(line.toe_depth_m) }, { text: line.overtops ? t('hq.water.over', { m: number(-line.freeboard_m, 2) }) : t('hq.water.depth', { m: number(line.freeboard_m, 2) }) }],
    }))
    const alarm = wet.some((line) => line.overtops && line.is_levee)
    return { kind: 'levee', n: wet.length, of: water.levee.length, alarm, heads: [t('hq.water.toeArrival'), t('hq.water.toe'), t('hq.water.freeboard')], rows }
  }

  const of: Record<Kind, () => FloodedKind> = {
    village: () => places('village', water.villages), household: () => classes('household', water.households, names.households), grower: () => classes('grower', water.farmers, names.growers),
    farm: () => places('farm', water.farms), shelter: () => places('shelter', water.shelters, true), route: ways, depot: () => places('depot', water.depots),
    post: () => places('post', water.posts), dam: () => places('dam', water.dams), levee, cell: () => places('cell', water.cells),
  }
  return KINDS.map((kind) => of[kind]())
}
