// Keeps the screen on while patrolling: browsers stop GPS and sound when it goes dark.
import { ref } from 'vue'

export const canWake = 'wakeLock' in navigator
export const wake = ref(false)
let lock: WakeLockSentinel | null = null

export async function setWake(on: boolean): Promise<void> {
  wake.value = on
  if (!on) {
    await lock?.release()
    lock = null
  } else await hold()
}

/** Called again whenever the page returns to the front: the browser drops the lock when it is hidden. */
export async function hold(): Promise<void> {
  if (!wake.value || !canWake || document.visibilityState !== 'visible') return
  try {
    lock = await navigator.wakeLock.request('screen')
  } catch {
    wake.value = false // Refused, for example on low battery: the switch shows it.
  }
}
