// What a release would send and take back, as the server counts it. No number of this is made here: the core alone knows
// which orders are out, which other signals ask for theirs, and which a lower level ends.
import { ref, shallowRef, watch, type Ref } from 'vue'
import { api } from '@/api/client'
import type { Level, ReleaseCount } from '@/api/types'

/** What is asked for; null: nothing. `prepare_for_m3s` null: without a previewed discharge. */
export interface ReleaseWish { level: Level; prepare_for_m3s: number | null }

/** Asks whenever the wish changes. `count` is null until the answer to this wish is here, and stays so when it fails. */
export function useReleaseCount(wish: () => ReleaseWish | null): { count: Ref<ReleaseCount | null>; fault: Ref<unknown> } {
  const count = shallowRef<ReleaseCount | null>(null)
  const fault = ref<unknown>(null)
  let latest = 0

  watch(() => JSON.stringify(wish()), async () => {
    const turn = ++latest
    const asked = wish()
    count.value = fault.value = null
    if (!asked) return
    try {
      const answer = await api.post<ReleaseCount>('/preview/release', asked)
      if (turn === latest) count.value = answer
    } catch (cause) {
      if (turn === latest) fault.value = cause
    }
  }, { immediate: true })

  return { count, fault }
}
