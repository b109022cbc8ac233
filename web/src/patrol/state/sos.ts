// Runs the SOS machine on the phone's clock and keeps a call over a reload.
import { reactive, readonly } from 'vue'
import { drillId } from '@/api/client'
import { IDLE, restored, step, type Sos, type SosEvent } from '../sos/machine'
import { readKept, writeKept } from './settings'

/** A call in a drill and a real one are kept apart: neither goes on, or ends, as the other. */
const KEY = 'anlan.patrol.sos'
const keyNow = (): string => (drillId() === null ? KEY : `${KEY}.${drillId()}`)
const TICK_MS = 100

export interface SosWiring { send: (atMs: number) => Promise<void>; ring: () => void }

export function createSos(wiring: SosWiring) {
  const shown = reactive<{ sos: Sos; now_ms: number; fault: string }>({ sos: restored(read()), now_ms: Date.now(), fault: '' })
  let timer: ReturnType<typeof setInterval> | null = null

  function move(event: SosEvent): void {
    const now = Date.now()
    const [next, act] = step(shown.sos, event, now)
    shown.now_ms = now
    if (next !== shown.sos) {
      shown.sos = next
      writeKept(keyNow(), JSON.stringify(next))
    }
    if (act !== 'none') wiring.ring()
    if (act === 'send') wiring.send(now).then(() => { shown.fault = '' }, (cause: unknown) => { shown.fault = String(cause) })
    const busy = next.state === 'holding' || next.state === 'undo' || next.state === 'calling'
    if (busy) timer ??= setInterval(() => move({ type: 'tick' }), TICK_MS)
    else rest()
  }

  function rest(): void {
    if (timer !== null) clearInterval(timer)
    timer = null
  }

  return {
    view: readonly(shown),
    press: () => move({ type: 'press' }),
    release: () => move({ type: 'release' }),
    undo: () => move({ type: 'undo' }),
    stop: () => move({ type: 'stop' }),
    close: () => move({ type: 'close' }),
    answered: (by: string) => move({ type: 'answered', by }),
    /** After a reload: goes on where it was. */
    resume: () => { if (shown.sos !== IDLE) move({ type: 'tick' }) },
    rest,
  }
}

function read(): unknown {
  try {
    return JSON.parse(readKept(keyNow()) ?? 'null') as unknown
  } catch {
    return null
  }
}
