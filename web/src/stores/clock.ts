// The clock of the reach as the server last told it, carried on at its speed between two tellings.
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Situation } from '@/api/types'

const TICK_MS = 500

export const useClock = defineStore('clock', () => {
  const kind = ref<Situation['clock']['kind']>('real')
  const speed = ref(1)
  const told = ref({ now_ms: Date.now(), at_ms: performance.now() })
  const tick = ref(performance.now())
  let timer: ReturnType<typeof setInterval> | null = null

  /** Milliseconds of the reach's time since the server last told it. */
  const sinceTold = computed(() => Math.max(0, tick.value - told.value.at_ms) * speed.value)
  const now = computed(() => told.value.now_ms + sinceTold.value)

  function tell(clock: Situation['clock']): void {
    const now_ms = Date.parse(clock.now)
    if (Number.isNaN(now_ms)) return
    kind.value = clock.kind
    speed.value = clock.speed
    tick.value = performance.now()
    told.value = { now_ms, at_ms: tick.value }
  }

  function start(): void {
    timer ??= setInterval(() => (tick.value = performance.now()), TICK_MS)
  }

  function stop(): void {
    if (timer) clearInterval(timer)
    timer = null
  }

  return { kind, speed, now, sinceTold, tell, start, stop }
})
