// The station whose discharge sets the level of this reach.
import type { Gauge, Situation } from '@/api/types'

const KEY = 'huayuankou'

/** The discharge gauge that the what-if control starts from: the key station, else the first one told. */
export function keyGauge(situation: Situation | null): Gauge | null {
  const flows = situation?.gauges.filter((gauge) => gauge.quantity === 'discharge') ?? []
  return flows.find((gauge) => gauge.station === KEY) ?? flows[0] ?? null
}
