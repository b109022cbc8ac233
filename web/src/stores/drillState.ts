// How the drill of this page stands. The stream of a drill tells nothing of its end, so it is asked for; an ended drill
// never goes on, whatever late message says otherwise. Outside a drill nothing is asked.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { ApiError, api, drillId } from '@/api/client'
import type { Situation } from '@/api/types'
import { repeat } from './repeat'

/** `over`: ended or cut off. `unknown`: the server has no such drill to speak of. */
export type DrillWord = 'none' | 'running' | 'paused' | 'over' | 'unknown'
const EVERY_MS = 4_000
const NOT_FOUND = 404
const SIGNED_OUT = 401

export const useDrillState = defineStore('drill-state', () => {
  const word = ref<DrillWord>('none')

  function hear(drill: Situation['drill']): void {
    if (drillId() === null || drill?.id !== drillId() || word.value === 'over') return
    word.value = drill.state === 'running' || drill.state === 'paused' ? drill.state : 'over'
  }

  async function ask(): Promise<void> {
    if (drillId() === null || word.value === 'over') return
    try {
      hear((await api.get<Situation>('/situation')).drill)
    } catch (cause) {
      // No answer tells nothing; the page says elsewhere that the server is away.
      if (cause instanceof ApiError && cause.status === NOT_FOUND) word.value = 'unknown'
      // Whoever signs in again starts it again.
      if (cause instanceof ApiError && cause.status === SIGNED_OUT) asking.stop()
    }
  }
  const asking = repeat(ask, EVERY_MS)

  /** For somebody who is signed in; again is no harm. */
  function start(): void {
    if (drillId() !== null) asking.start()
  }

  function stop(): void {
    asking.stop()
    word.value = 'none'
  }

  return { word, hear, ask, start, stop }
})
