// A what-if: a drafted discharge, the server's dry run of it, and nothing that leaves this browser.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { Preview, TwinRun } from '@/api/types'

const POLL_MS = 2_000

export const usePreview = defineStore('preview', () => {
  /** Drafted discharge, m³/s; null: what is measured now. */
  const draft = ref<number | null>(null)
  const result = shallowRef<Preview | null>(null)
  const running = ref(false)
  const fault = shallowRef<unknown>(null)
  const active = computed(() => result.value !== null)
  /** The finer run behind the shown water, while it is under way or failed. */
  const finer = shallowRef<TwinRun | null>(null)
  let latest = 0
  let poll: ReturnType<typeof setTimeout> | null = null

  /** Asks for the same discharge on the finest grid; its water takes the place of the library's when it is done. */
  async function refine(): Promise<void> {
    const shown = result.value
    if (!shown?.inundation) return
    const turn = latest
    const take = (run: TwinRun): void => {
      if (turn !== latest || !result.value) return
      finer.value = run.state === 'done' ? null : run
      if (run.state === 'done' && run.inundation) result.value = { ...result.value, inundation: run.inundation }
      else if (run.state === 'queued' || run.state === 'running') poll = setTimeout(() => void api.get<TwinRun>(`/twin/runs/${run.id}`).then(take, fail), POLL_MS)
    }
    const fail = (cause: unknown): void => {
      if (turn === latest) {
        finer.value = null
        fault.value = cause
      }
    }
    await api.post<TwinRun>('/twin/runs', { discharge_m3s: shown.discharge_m3s }).then(take, fail)
  }
  function forget(): void {
    if (poll) clearTimeout(poll)
    poll = null
    finer.value = null
  }

  async function run(discharge_m3s: number): Promise<void> {
    const turn = ++latest
    forget()
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
    forget()
    running.value = false
    result.value = null
    draft.value = null
    fault.value = null
  }

  return { draft, result, running, fault, active, finer, run, refine, leave }
})
