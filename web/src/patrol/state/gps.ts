// The phone's position, WGS-84 as browsers give it.
import { ref, shallowRef } from 'vue'
import type { Fix } from '../place/chainage'

export const fix = shallowRef<Fix | null>(null)
export const gpsState = ref<'waiting' | 'ok' | 'denied' | 'none'>('waiting')

/** A position older than this is not offered as "here". */
const FRESH_MS = 120_000

let watching: number | null = null

export function watchGps(): void {
  if (watching !== null) return
  if (!('geolocation' in navigator)) {
    gpsState.value = 'none'
    return
  }
  watching = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      fix.value = { lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy, at_ms: timestamp }
      gpsState.value = 'ok'
    },
    (fault) => { gpsState.value = fault.code === fault.PERMISSION_DENIED ? 'denied' : fix.value === null ? 'none' : 'ok' },
    { enableHighAccuracy: true, maximumAge: 10_000, timeout: 30_000 },
  )
}

export function stopGps(): void {
  if (watching !== null) navigator.geolocation.clearWatch(watching)
  watching = null
}

/** The position if it is fresh enough to act on. */
export function freshFix(nowMs: number): Fix | null {
  return fix.value !== null && nowMs - fix.value.at_ms <= FRESH_MS ? fix.value : null
}
