// A job of the twin that this page waits for, a finer run or a spread: asked for, looked after until it ends, taken back.
// The server holds it: leaving or losing the line ends the waiting, not the job, and the same wish again finds it.
import { reactive, shallowRef } from 'vue'
import { ApiError, api } from '@/api/client'
import type { TwinRun } from '@/api/types'

const POLL_MS = 2_000

/** `members`: a spread of so many runs in place of one finer run. */
export interface Wish { discharge_m3s: number; breach?: string; members?: number }
export type TwinJob = ReturnType<typeof twinJob>

/** It waits or is being computed. */
export const isOpen = (job: TwinRun | null): boolean => job?.state === 'queued' || job?.state === 'running'

export function twinJob(done: (job: TwinRun) => void = () => undefined) {
  const job = shallowRef<TwinRun | null>(null)
  /** Why the last call had no answer; a job that is still open is looked for again all the same. */
  const fault = shallowRef<unknown>(null)
  /** A press is on its way to the server. */
  const busy = shallowRef(false)
  let latest = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const look = (id: number): Promise<void> => call(() => api.get<TwinRun>(`/twin/runs/${id}`))
  const lookLater = (id: number): void => void (timer = setTimeout(() => void look(id), POLL_MS))

  /** One call at a time counts: what an earlier one answers later is let go. */
  async function call(asking: () => Promise<TwinRun>): Promise<void> {
    const turn = ++latest
    clearTimeout(timer)
    try {
      const answer = await asking()
      if (turn !== latest) return
      job.value = answer
      fault.value = null
      if (isOpen(answer)) lookLater(answer.id)
      else if (answer.state === 'done') done(answer)
    } catch (cause) {
      if (turn !== latest) return
      const status = cause instanceof ApiError ? cause.status : 0
      const open = isOpen(job.value) && status !== 404 ? job.value : null
      job.value = open
      // 409: it ended before it could be taken back; how it ended is told next.
      fault.value = open && status === 409 ? null : cause
      if (open) lookLater(open.id)
    }
    busy.value = false
  }

  function ask(wish: Wish): Promise<void> {
    forget()
    busy.value = true
    return call(() => api.post<TwinRun>('/twin/runs', wish))
  }
  async function cancel(): Promise<void> {
    const open = job.value
    if (!open || !isOpen(open)) return
    busy.value = true
    await call(() => api.delete<TwinRun>(`/twin/runs/${open.id}`))
  }
  /** Waits for nothing any more. */
  function forget(): void {
    latest += 1
    clearTimeout(timer)
    job.value = null
    fault.value = null
    busy.value = false
  }

  return reactive({ job, fault, busy, ask, cancel, forget })
}
