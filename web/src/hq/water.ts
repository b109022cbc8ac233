// How the water is told: minutes, sites of a breach, and the rows of a spread.
import type { BreachSite, SpreadPlace, TwinNow } from '@/api/types'
import { number } from '@/format/number'
import { pick } from '@/i18n'

type Translate = (key: string, named: Record<string, unknown>) => string

/** Minutes from the beginning of the rise: `40 min`, from an hour and a half on `2.5 h`. */
export function lasting(minutes: number | null, t: Translate): string {
  if (minutes === null) return '—'
  return minutes < 90 ? t('hq.water.minutes', { n: minutes }) : t('hq.water.hours', { n: number(minutes / 60, 1) })
}

/** The name of a work where the levee is assumed to breach; its id where it has none. */
export function siteName(sites: BreachSite[], id: string): string {
  return pick(sites.find((site) => site.id === id)?.name) || id
}

/** The name of the work where the levee breaches, as the reports or the sites have it; empty where neither knows it. */
export function breachName(id: string, sites: BreachSite[], reported: TwinNow['breaches'] = []): string {
  return pick(reported.find((one) => one.site === id)?.name) || pick(sites.find((site) => site.id === id)?.name) || ''
}

/** Villages first, people sleep there; then as the server has them: the surest first. */
export function villagesFirst(places: SpreadPlace[]): SpreadPlace[] {
  const isVillage = (place: SpreadPlace): boolean => place.kind === 'village'
  return [...places.filter(isVillage), ...places.filter((place) => !isVillage(place))]
}
