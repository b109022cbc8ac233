// Where a finer run and the library that it takes the place of tell different things: what people act on, counted by both.
import type { Inundation } from '@/api/types'

export type Matter = 'villages' | 'people' | 'shelters' | 'overtopped'
/** `same`: both count as many, but not the same ones. */
export interface Disagreement { matter: Matter; library: number; finer: number; same: boolean }

const overtopped = (water: Inundation): string[] => water.levee.filter((row) => row.overtops && row.is_levee).map((row) => row.place)
const idsOf = (places: { id: string }[]): string[] => places.map((place) => place.id)

export function disagreements(library: Inundation, finer: Inundation): Disagreement[] {
  const lists: [Matter, string[], string[]][] = [
    ['villages', idsOf(library.villages), idsOf(finer.villages)], ['shelters', idsOf(library.shelters), idsOf(finer.shelters)], ['overtopped', overtopped(library), overtopped(finer)],
  ]
  const found = lists.flatMap(([matter, before, after]): Disagreement[] => {
    const [known, same] = [new Set(before), before.length === after.length]
    return same && after.every((id) => known.has(id)) ? [] : [{ matter, library: before.length, finer: after.length, same }]
  })
  const people: Disagreement[] = library.residents === finer.residents ? [] : [{ matter: 'people', library: library.residents, finer: finer.residents, same: false }]
  const order: Matter[] = ['villages', 'people', 'shelters', 'overtopped']
  return [...found, ...people].sort((a, b) => order.indexOf(a.matter) - order.indexOf(b.matter))
}
