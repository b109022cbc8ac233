// The water of an hour ahead of now: the scenario of the discharge that is forecast for it, looked up as the live twin looks up
// the discharge of now, with what the gauge adds and the breach that is reported.
import type { Series, TwinNow } from '@/api/types'
import { FORECAST_STEP_S } from '../chart/tracks'

/** The river at a moment to come. `beyond_peak`: more water is forecast before it, and nobody computes what that leaves in ponds. */
export interface Outlook { at_ms: number; hours: number; discharge_m3s: number; low_m3s: number; high_m3s: number; breach: string | null; issued_at: string; beyond_peak: boolean }
/** Why no water is shown for a moment to come. */
export interface NoOutlook { at_ms: number; hours: number; none: 'twin' | 'forecast' | 'fault' }

/** Smaller steps ahead are now: the hand of the time control is a few minutes wide. */
const LEAST_H = 0.05
/** Of what was forecast before; less than this share of it is a fall. */
const FALLEN = 0.98

/** Hours ahead at which the time control stands; `null`: now or before it. */
export const hoursAhead = (ahead_h: number | null): number | null => (ahead_h !== null && ahead_h >= LEAST_H ? ahead_h : null)

export function outlookAt(at_ms: number, hours: number, twin: TwinNow | null, forecast: Series['forecast']): Outlook | NoOutlook {
  if (!twin?.discharge || twin.state === 'unknown') return { at_ms, hours, none: 'twin' }
  const now = { t_ms: Date.parse(twin.discharge.at), v: twin.discharge.m3s, low: twin.discharge.m3s, high: twin.discharge.m3s }
  const ahead = (forecast?.points ?? []).map((point) => ({ t_ms: Date.parse(point.t), v: point.v, low: point.low, high: point.high })).filter((point) => point.t_ms > now.t_ms)
  const course = [now, ...ahead]
  const next = course.findIndex((point) => point.t_ms >= at_ms)
  const [from, to] = [course[next - 1], course[next]]
  if (!forecast || !from || !to || to.t_ms - from.t_ms > FORECAST_STEP_S * 1000) return { at_ms, hours, none: 'forecast' }
  const share = (at_ms - from.t_ms) / (to.t_ms - from.t_ms)
  const added = twin.discharge.looked_up_m3s - twin.discharge.m3s
  const at = (key: 'v' | 'low' | 'high'): number => Math.round(from[key] + (to[key] - from[key]) * share + added)
  const highest = Math.max(...course.slice(0, next).map((point) => point.v)) + added
  const breach = twin.breaches.find((one) => one.site !== null)?.site ?? null
  return { at_ms, hours, discharge_m3s: at('v'), low_m3s: at('low'), high_m3s: at('high'), breach, issued_at: forecast.issued_at, beyond_peak: at('v') < highest * FALLEN }
}

/** Ways out that are cut at an hour: those of the live twin, or those of an assumed discharge. */
export function cutWays(twin: TwinNow | null, at_ms: number): Set<string> {
  return new Set((twin?.ways ?? []).filter((way) => way.at !== null && Date.parse(way.at) <= at_ms).map((way) => way.id))
}
export function assumedCutWays(routes: { id: string; cut_at_h: number | null }[], hour: number | null): Set<string> {
  return new Set(routes.filter((way) => way.cut_at_h !== null && (hour === null || way.cut_at_h <= hour)).map((way) => way.id))
}

/** Shelters that have water at an hour, alike. */
export function wetShelters(twin: TwinNow | null, at_ms: number): Set<string> {
  return new Set((twin?.places ?? []).filter((place) => place.kind === 'shelter' && (place.is_there || (place.at !== null && Date.parse(place.at) <= at_ms))).map((place) => place.id))
}
export function assumedWetShelters(shelters: { id: string; arrival_min: number | null }[], hour: number | null): Set<string> {
  return new Set(shelters.filter((one) => hour === null || (one.arrival_min ?? 0) <= hour * 60).map((one) => one.id))
}
