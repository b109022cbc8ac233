// Whether the window is narrower than a width in CSS pixels.
import { onBeforeUnmount, ref, type Ref } from 'vue'

export function useNarrow(width: number): Ref<boolean> {
  const query = matchMedia(`(max-width: ${width - 1}px)`)
  const narrow = ref(query.matches)
  const update = (): void => void (narrow.value = query.matches)
  query.addEventListener('change', update)
  onBeforeUnmount(() => query.removeEventListener('change', update))
  return narrow
}
