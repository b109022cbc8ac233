// After an answer the next button comes up in the same place, be it of the same task or of the next: a second tap in the same
// breath is no second answer.
import { readonly, ref } from 'vue'

const REST_MS = 1_000
const on = ref(false)

export const resting = readonly(on)

/** An answer was given. */
export function rest(): void {
  on.value = true
  setTimeout(() => (on.value = false), REST_MS)
}
