// What the window is like, as CSS media queries say it.
import { onBeforeUnmount, ref, type Ref } from 'vue'

/** Whether a media query holds. */
export function useMedia(media: string): Ref<boolean> {
  const query = matchMedia(media)
  const holds = ref(query.matches)
  const update = (): void => void (holds.value = query.matches)
  query.addEventListener('change', update)
  onBeforeUnmount(() => query.removeEventListener('change', update))
  return holds
}

/** Whether the window is narrower than a width in CSS pixels. */
export const useNarrow = (width: number): Ref<boolean> => useMedia(`(max-width: ${width - 1}px)`)
