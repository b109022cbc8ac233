// A what-if: a drafted discharge, the server's dry run of it, and nothing that leaves this browser.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { Preview } from '@/api/types'

export const usePreview = defineStore('preview', () => {
  /** Drafted discharge, m³/s; null: what is measured now. */
  const draft = ref<number | null>(null)
  const result = shallowRef<Preview | null>(null)
  const running = ref(false)
  const fault = shallowRef<unknown>(null)
  const active = computed(() => result.value !== null)
  let latest = 0

  async function run(discharge_m3s: number): Promise<void> {
    const turn = ++latest
    draft.value = discharge_m3s
    running.value = true
    fault.value = null
    try {
      const answer = await api.post<Preview>('/preview', { discharge_m3s })
      if (turn === latest) result.value = answer
    } catch (cause) {
      if (turn === latest) fault.value = cause
    } finally {
      if (turn === latest) running.value = false
    }
  }

  function leave(): void {
    latest += 1
    running.value = false
    result.value = null
    draft.value = null
    fault.value = null
  }

  return { draft, result, running, fault, active, run, leave }
})
