// Sample map layers: the reach's own files where they exist, else a drawn strip along a levee of 14.22 km.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Feature, FeatureCollection, Position } from 'geojson'
import { dice } from './dice.ts'

const REACH = process.env.ANLAN_REACH ?? join(import.meta.dirname, '../../reaches/huayuankou')
const LENGTH_M = 14_220
const M_PER_LON = 91_300
const M_PER_LAT = 111_000
const roll = dice(20260728)

const crest = (m: number): number => 34.8966 + 0.0035 * Math.sin(m / 3200 + 1.1)
/** A place by metres along the levee and metres towards the river (negative: behind it). */
export const at = (m: number, off = 0): Position => [113.6 + m / M_PER_LON, crest(m) + off / M_PER_LAT]
const river = (m: number): number => 2400 + 700 * Math.sin(m / 2400 + 0.4)

const line = (from: number, to: number, step: number, off: (m: number) => number): Position[] => {
  const out: Position[] = []
  for (let m = from; m <= to; m += step) out.push(at(m, off(m)))
  return out
}
const feature = (id: string, geometry: Feature['geometry'], properties: Record<string, unknown>): Feature => ({ type: 'Feature', id, geometry, properties: { id, synthetic: true, ...properties } })
const point = (id: string, m: number, off: number, properties: Record<string, unknown>): Feature => feature(id, { type: 'Point', coordinates: at(m, off) }, { chainage_m: m, ...properties })
const square = (m: number, off: number, w: number, h: number): Position[][] => [[at(m, off), at(m + w, off), at(m + w, off - h), at(m, off - h), at(m, off)]]

const works: [string, string, number, number, number][] = [
  ['花园口险工', 'Huayuankou', 1500, 4200, 90], ['申庄险工', 'Shenzhuang', 5200, 7400, 130], ['马渡险工', 'Madu', 8600, 11300, 20], ['东大坝下延控导', 'Dongdaba', 12100, 13900, 1],
]
export const villages: [string, string, number][] = [['花园口村', 'Huayuankou Village', 1900], ['八堡村', 'Babao Village', 3700], ['申庄村', 'Shenzhuang Village', 6300], ['马渡村', 'Madu Village', 9600], ['李西河村', 'Lixihe Village', 11700]]

const drawn: Record<string, () => Feature[]> = {
  river: () => [feature('river', { type: 'Polygon', coordinates: [[...line(-4000, 19000, 200, (m) => river(m) + 650), ...line(-4000, 19000, 200, (m) => river(m) - 650).reverse(), at(-4000, river(-4000) + 650)]] }, { name_zh: '黄河', name_en: 'Yellow River' })],
  levee: () => [feature('levee', { type: 'LineString', coordinates: line(0, LENGTH_M, 120, () => 0) }, { name_zh: '黄河右岸大堤', name_en: 'Right-bank levee' }),
    ...Array.from({ length: 15 }, (_, k) => point(`stake-${k}`, Math.min(k * 1000, LENGTH_M), 0, { kind: 'stake', name_zh: `K${k}`, name_en: `K${k}` }))],
  works: () => works.map(([zh, en, from, to], i) => feature(`work-${i}`, { type: 'Polygon', coordinates: [[...line(from, to, 100, () => 40), ...line(from, to, 100, () => 190).reverse(), at(from, 40)]] }, { name_zh: zh, name_en: en, from_m: from, to_m: to })),
  dams: () => works.flatMap(([zh, en, from, to, first]) => {
    const out: Feature[] = []
    for (let m = from, n = first; m < to; m += 90, n += 1) out.push(feature(`dam-${en}-${n}`, { type: 'LineString', coordinates: [at(m, 20), at(m + 60, 160)] }, { name_zh: `${zh.slice(0, 3)}${n}坝`, name_en: `${en} dam ${n}`, number: n, chainage_m: m }))
    return out
  }),
  stones: () => Array.from({ length: 249 }, (_, i) => {
    const work = works[i % 4]!
    const m = work[2] + ((work[3] - work[2]) * i) / 249
    const chance = roll()
    const state = i === 61 ? 'lost' : chance > 0.985 ? 'moved' : chance < 0.012 ? 'silent' : 'still'
    return point(`stone-${String(i + 1).padStart(3, '0')}`, m, 165 + roll() * 30, { name_zh: `${work[0].slice(0, 3)}石头 ${i + 1}`, name_en: `${work[1]} stone ${i + 1}`, state })
  }),
  grids: () => {
    const out: Feature[] = []
    for (let i = 0; i < 17; i += 1) for (let j = 0; j < 4; j += 1) {
      const n = i * 4 + j + 1
      const id = `cell-${String(n).padStart(2, '0')}`
      const state = j === 0 && [3, 12, 13].includes(i) ? 'hazard' : n === 31 ? 'overdue' : n === 66 ? 'unstaffed' : 'normal'
      out.push(feature(id, { type: 'Polygon', coordinates: square((i * LENGTH_M) / 17, -60 - j * 480, LENGTH_M / 17 - 40, 440) }, { number: n, name_zh: `${n} 号网格`, name_en: `Grid ${n}`, state }))
    }
    for (let k = 0; k < 4; k += 1) out.push(feature(`cell-x${k + 1}`, { type: 'Polygon', coordinates: square(2000 + k * 3000, 1000, 1400, 700) }, { number: `专${k + 1}`, name_zh: `专属网格 ${k + 1}`, name_en: `Exclusive grid ${k + 1}`, state: 'normal', kind: 'exclusive' }))
    return out
  },
  gauges: () => [point('huayuankou', 5000, river(5000), { station: 'huayuankou', name_zh: '花园口站', name_en: 'Huayuankou', level: 'blue' })],
  depots: () => [[2600, 180], [7900, 62], [12900, 140]].map(([m, stock], i) => point(`depot-${i + 1}`, m!, -150, { name_zh: `${i + 1} 号料场`, name_en: `Depot ${i + 1}`, stock_percent: stock! / 2, low: stock! < 100 })),
  villages: () => villages.map(([zh, en, m], i) => point(`village-${i + 1}`, m, 700, { name_zh: zh, name_en: en, people: 800 + i * 130, moved: i === 0 ? 800 : i * 90, state: i === 0 ? 'done' : i < 3 ? 'moving' : 'not-started' })),
  shelters: () => villages.map(([zh, en, m], i) => point(`shelter-${i + 1}`, m + 200, -1700, { name_zh: `${zh}安置点`, name_en: `Shelter of ${en}` })),
  routes: () => villages.map(([zh, en, m], i) => feature(`route-${i + 1}`, { type: 'LineString', coordinates: line(0, 10, 1, (k) => k).map((_, k) => at(m + k * 20 + 60 * Math.sin(k), 700 - k * 240)) }, { name_zh: `${zh}撤离路线`, name_en: `Route of ${en}`, flooded: i === 3 })),
  'defence-points': () => [2800, 6100, 9900].map((m, i) => point(`point-${i + 1}`, m, -40, { name_zh: `重点防守点 ${i + 1}`, name_en: `Defence point ${i + 1}` })),
  hazards: () => [
    point('rep-1', 10_150, 110, { kind: 'hazard', type: 'face_stone_collapse', grade: 3, state: 'open', place: { chainage: 10_150, side: 'water' } }),
    point('rep-2', 4_050, -20, { kind: 'hazard', type: 'seepage', grade: 1, state: 'open', place: { chainage: 4050, side: 'land' } }),
    point('rep-3', 7_300, 30, { kind: 'hazard', type: 'crack', grade: 2, state: 'resolved', place: { chainage: 7300, side: 'crest' } }),
  ],
  cameras: () => [1500, 4300, 7600, 10_900, 13_800].map((m, i) => point(`camera-${i + 1}`, m, 15, { name_zh: `${i + 1} 号视频点`, name_en: `Camera ${i + 1}` })),
}

/** The server adds states to the stones of the file; so does this stand-in. */
function withState(name: string, data: FeatureCollection): FeatureCollection {
  if (name !== 'stones') return data
  return { ...data, features: data.features.map((one, i) => ({ ...one, properties: { ...one.properties, state: i === 61 ? 'lost' : i % 83 === 7 ? 'moved' : i % 97 === 5 ? 'silent' : 'still' } })) }
}

const cache = new Map<string, FeatureCollection>()

export function layer(name: string): FeatureCollection | null {
  if (!cache.has(name)) {
    const file = join(REACH, `${name}.geojson`)
    if (existsSync(file)) cache.set(name, withState(name, JSON.parse(readFileSync(file, 'utf8')) as FeatureCollection))
    else if (drawn[name]) cache.set(name, { type: 'FeatureCollection', features: drawn[name]() })
  }
  return cache.get(name) ?? null
}
