// A what-if: a drafted discharge, perhaps a breach of the levee, the server's dry run of both, and nothing that leaves this browser.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { BreachSite, Preview } from '@/api/types'
import { twinJob, type Wish } from './twinJob'

/** Runs in a spread. */
export const MEMBERS = 20

export const usePreview = defineStore('preview', () => {
  /** Drafted discharge, m³/s; null: what is measured now. */
  const draft = ref<number | null>(null)
  /** The work at which the levee is assumed to breach; what is shown says itself what it assumes. */
  const breach = ref<string | null>(null)
  /** Where a breach may be assumed on this reach; kept where an answer has no water, so that the way back stays open. */
  const sites = shallowRef<BreachSite[]>([])
  const result = shallowRef<Preview | null>(null)
  const running = ref(false)
  const fault = shallowRef<unknown>(null)
  const active = computed(() => result.value !== null)
  /** The finer run of the shown water, which takes its place when it is done. */
  const finer = twinJob((job) => {
    if (result.value && job.inundation) result.value = { ...result.value, inundation: job.inundation }
  })
  /** How far the water goes when discharge and roughness are not quite as assumed. */
  const spread = twinJob()
  let latest = 0

  const wish = (discharge_m3s: number, at: string | null): Wish => (at === null ? { discharge_m3s } : { discharge_m3s, breach: at })
  const shown = (): Wish | null => (result.value?.inundation ? wish(result.value.discharge_m3s, result.value.inundation.scenario.breach) : null)

  async function refine(): Promise<void> {
    const asked = shown()
    if (asked) await finer.ask(asked)
  }
  async function askSpread(): Promise<void> {
    const asked = shown()
    if (asked) await spread.ask({ ...asked, members: MEMBERS })
  }
  /** Jobs belong to the water that was shown when they were asked for. */
  function forgetJobs(): void {
    finer.forget()
    spread.forget()
  }

  async function run(discharge_m3s: number): Promise<void> {
    const turn = ++latest
    forgetJobs()
    draft.value = discharge_m3s
    running.value = true
    fault.value = null
    try {
      const answer = await api.post<Preview>('/preview', wish(discharge_m3s, breach.value))
      if (turn !== latest) return
      forgetJobs()
      result.value = answer
      if (answer.inundation) sites.value = answer.inundation.breach_sites ?? []
    } catch (cause) {
      if (turn === latest) fault.value = cause
    } finally {
      if (turn === latest) running.value = false
    }
  }

  /** Assumes a breach there, or none, and asks anew for the discharge in the field. */
  async function assume(at: string | null): Promise<void> {
    breach.value = at
    const q = draft.value ?? result.value?.discharge_m3s
    if (q !== undefined) await run(q)
  }

  function leave(): void {
    latest += 1
    forgetJobs()
    running.value = false
    result.value = null
    draft.value = null
    breach.value = null
    fault.value = null
  }

  return { draft, breach, sites, result, running, fault, active, finer, spread, run, assume, refine, askSpread, leave }
})
