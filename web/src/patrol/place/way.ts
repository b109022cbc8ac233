// Words and links for finding a place.
import { bearing, distance } from './chainage'

type At = { lon: number; lat: number }

/** Which of eight directions a bearing in degrees is: 0 north, 1 north-east, … 7 north-west. */
export function octant(degrees: number): number {
  return Math.round((((degrees % 360) + 360) % 360) / 45) % 8
}

/** Distance in m, rounded as people say it: to 10 m below 1 km, to 100 m above. */
export function saidDistance(m: number): { unit: 'm' | 'km'; text: string } {
  const near = Math.round(m / 10) * 10
  return near < 1000 ? { unit: 'm', text: String(near) } : { unit: 'km', text: (m / 1000).toFixed(1) }
}

export function wayTo(from: At, to: At): { octant: number; metres: number } {
  return { octant: octant(bearing(from, to)), metres: distance(from, to) }
}

/** Links that open the phone's map app. All name the position in WGS-84 and say so where the app asks. */
export function mapLinks(to: At, name: string): { geo: string; amap: string } {
  const label = encodeURIComponent(name)
  const lat = to.lat.toFixed(6)
  const lon = to.lon.toFixed(6)
  return {
    geo: `geo:${lat},${lon}?q=${lat},${lon}(${label})`,
    amap: `androidamap://viewMap?sourceApplication=anlan&poiname=${label}&lat=${lat}&lon=${lon}&dev=1`, // dev=1: the app converts WGS-84 itself
  }
}
