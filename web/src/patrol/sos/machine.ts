// SOS: hold two seconds, five seconds to take it back, then repeat until headquarters answers. Pure; time is an argument.

export const HOLD_MS = 2_000
export const UNDO_MS = 5_000
export const REPEAT_MS = 30_000

export type Sos =
  | { state: 'idle' }
  | { state: 'holding'; since_ms: number }
  | { state: 'undo'; send_ms: number }
  | { state: 'calling'; since_ms: number; times: number; again_ms: number }
  | { state: 'answered'; by: string; at_ms: number }

export type SosEvent =
  | { type: 'press' } | { type: 'release' } | { type: 'undo' } | { type: 'tick' } | { type: 'stop' } | { type: 'close' }
  | { type: 'answered'; by: string }

/** What the screen must do after a move. */
export type SosAct = 'none' | 'buzz' | 'send'

export const IDLE: Sos = { state: 'idle' }

/** A state read back after a reload; anything unknown is idle. A hold does not outlive its page, a call does. */
export function restored(kept: unknown): Sos {
  const sos = kept as Sos | null
  if (typeof sos !== 'object' || sos === null) return IDLE
  if (sos.state === 'undo' && Number.isFinite(sos.send_ms)) return sos
  if (sos.state === 'calling' && [sos.since_ms, sos.times, sos.again_ms].every(Number.isFinite)) return sos
  return IDLE
}

/** The next state and what to do. A touch shorter than two seconds does nothing. */
export function step(sos: Sos, event: SosEvent, nowMs: number): [Sos, SosAct] {
  switch (sos.state) {
    case 'idle':
      return event.type === 'press' ? [{ state: 'holding', since_ms: nowMs }, 'none'] : [sos, 'none']
    case 'holding':
      if (nowMs - sos.since_ms >= HOLD_MS && (event.type === 'tick' || event.type === 'release')) return [{ state: 'undo', send_ms: sos.since_ms + HOLD_MS + UNDO_MS }, 'buzz']
      return event.type === 'release' ? [IDLE, 'none'] : [sos, 'none']
    case 'undo':
      if (event.type === 'undo') return [IDLE, 'none']
      if (event.type === 'tick' && nowMs >= sos.send_ms) return [{ state: 'calling', since_ms: nowMs, times: 1, again_ms: nowMs + REPEAT_MS }, 'send']
      return [sos, 'none']
    case 'calling':
      if (event.type === 'answered') return [{ state: 'answered', by: event.by, at_ms: nowMs }, 'buzz']
      if (event.type === 'stop') return [IDLE, 'none']
      if (event.type === 'tick' && nowMs >= sos.again_ms) return [{ ...sos, times: sos.times + 1, again_ms: nowMs + REPEAT_MS }, 'send']
      return [sos, 'none']
    case 'answered':
      return event.type === 'close' ? [IDLE, 'none'] : [sos, 'none']
  }
}
