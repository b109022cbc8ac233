// What is masked, seen in full for 30 seconds by whoever may; the server puts each look down.
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { api } from '@/api/client'
import { faultWords } from '@/i18n/faultWords'
import { useNotes } from '@/stores/notes'

const SHOWN_MS = 30_000

/** `path` names what is looked at; another path, or the end of the component, masks it again. */
export function useReveal<T>(path: () => string | null) {
  const notes = useNotes()
  const { t } = useI18n()
  const open = shallowRef<T | null>(null)
  const busy = ref(false)
  let timer: ReturnType<typeof setTimeout> | null = null

  function mask(): void {
    if (timer) clearTimeout(timer)
    timer = null
    open.value = null
  }

  async function toggle(): Promise<void> {
    const asked = path()
    if (open.value !== null || asked === null) {
      mask()
      return
    }
    busy.value = true
    try {
      const seen = await api.post<T>(`${asked}/reveal`)
      if (path() !== asked) return
      open.value = seen
      notes.say(t('hq.reveal.shown'))
      timer = setTimeout(mask, SHOWN_MS)
    } catch (cause) {
      notes.show(faultWords(cause), 'fault')
    } finally {
      busy.value = false
    }
  }

  watch(path, mask)
  onBeforeUnmount(mask)
  return { open, busy, toggle }
}
