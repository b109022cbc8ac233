// A what-if: a drafted discharge, perhaps a breach of the levee, the server's dry run of both, and nothing that leaves this browser.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { BreachSite, Inundation, Preview } from '@/api/types'
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
  /** What the library told before a finer run took its place: where they disagree, both are told. */
  const library = shallowRef<Inundation | null>(null)
  const running = ref(false)
  const fault = shallowRef<unknown>(null)
  const active = computed(() => result.value !== null)
  /** The finer run of the shown water, which takes its place when it is done. */
  const finer = twinJob((job) => {
    const before = result.value?.inundation
    if (!result.value || !before || !job.inundation) return
    if (before.scenario.run === null) library.value = before
    // A run is told the place of the breach, not that it is the one that is reported.
    const breach_reported = before.scenario.breach_reported === true && before.scenario.breach === job.inundation.scenario.breach
    result.value = { ...result.value, inundation: { ...job.inundation, scenario: { ...job.inundation.scenario, breach_reported } } }
  })
  /** How far the water goes when discharge and roughness are not quite as assumed. */
  const spread = twinJob()
  let latest = 0
  /** The shown choice is the breach that is reported, which the server told and which it is not asked for. */
  let told: string | null = null
  /** Where a breach was last told to be reported. */
  let reportedAt: string | null = null

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
      const answer = await api.post<Preview>('/preview', wish(discharge_m3s, breach.value === told ? null : breach.value))
      if (turn !== latest) return
      forgetJobs()
      library.value = null
      result.value = answer
      sync(answer.inundation)
      if (answer.inundation) sites.value = answer.inundation.breach_sites ?? []
    } catch (cause) {
      if (turn === latest) fault.value = cause
    } finally {
      if (turn === latest) running.value = false
    }
  }

  /** A breach that is reported is what the what-if starts from, and shown as the choice; one that is reported no more is not. */
  function sync(water: Inundation | null): void {
    const reported = water?.scenario.breach_reported ? water.scenario.breach : null
    if (reported !== null) breach.value = reported
    else if (breach.value === told) breach.value = null
    told = reported
    reportedAt = reported ?? reportedAt
  }

  /** Assumes a breach there, or none, and asks anew for the discharge in the field. */
  async function assume(at: string | null): Promise<void> {
    // The server itself says whether that one is still reported.
    told = at === reportedAt ? at : null
    breach.value = at
    const q = draft.value ?? result.value?.discharge_m3s
    if (q !== undefined) await run(q)
  }

  function leave(): void {
    latest += 1
    forgetJobs()
    running.value = false
    result.value = null
    library.value = null
    draft.value = null
    breach.value = null
    told = null
    reportedAt = null
    fault.value = null
  }

  return { draft, breach, sites, result, library, running, fault, active, finer, spread, run, assume, refine, askSpread, leave }
})
