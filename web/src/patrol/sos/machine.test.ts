import { describe, expect, it } from 'vitest'
import { IDLE, REPEAT_MS, restored, step, type Sos, type SosAct, type SosEvent } from './machine'

/** Plays events at times (ms) and lists what had to be done. */
function play(events: [number, SosEvent][]): { sos: Sos; acts: SosAct[] } {
  let sos = IDLE
  const acts: SosAct[] = []
  for (const [at, event] of events) {
    const [next, act] = step(sos, event, at)
    sos = next
    if (act !== 'none') acts.push(act)
  }
  return { sos, acts }
}
const press: SosEvent = { type: 'press' }
const release: SosEvent = { type: 'release' }
const tick: SosEvent = { type: 'tick' }

describe('sos', () => {
  it('does nothing when let go after one second', () => {
    expect(play([[0, press], [500, tick], [1000, release], [9000, tick]])).toEqual({ sos: IDLE, acts: [] })
  })
  it('sends five seconds after a hold of two', () => {
    expect(play([[0, press], [2000, tick], [2100, release], [6999, tick]])).toMatchObject({ sos: { state: 'undo' }, acts: ['buzz'] })
    expect(play([[0, press], [2000, tick], [7000, tick]])).toMatchObject({ sos: { state: 'calling', times: 1 }, acts: ['buzz', 'send'] })
  })
  it('counts a release at two seconds as held, when no tick came between', () => {
    expect(play([[0, press], [2000, release]]).sos.state).toBe('undo')
  })
  it('can be taken back within five seconds, not later', () => {
    expect(play([[0, press], [2000, tick], [6000, { type: 'undo' }], [8000, tick]])).toEqual({ sos: IDLE, acts: ['buzz'] })
    expect(play([[0, press], [2000, tick], [7000, tick], [7100, { type: 'undo' }]]).sos.state).toBe('calling')
  })
  it('repeats until headquarters answers', () => {
    const held: [number, SosEvent][] = [[0, press], [2000, tick], [7000, tick], [7000 + REPEAT_MS - 1, tick], [7000 + REPEAT_MS, tick], [7000 + 2 * REPEAT_MS, tick]]
    expect(play(held)).toMatchObject({ sos: { times: 3 }, acts: ['buzz', 'send', 'send', 'send'] })
    const answered = play([...held, [70_000, { type: 'answered', by: '值班员' }], [200_000, tick]])
    expect(answered).toMatchObject({ sos: { state: 'answered', by: '值班员' }, acts: ['buzz', 'send', 'send', 'send', 'buzz'] })
  })
  it('outlives a reload once it was held', () => {
    const calling: Sos = { state: 'calling', since_ms: 1, times: 2, again_ms: 9 }
    expect(restored(JSON.parse(JSON.stringify(calling)))).toEqual(calling)
    expect(step(restored({ state: 'undo', send_ms: 500 }), tick, 600)).toMatchObject([{ state: 'calling' }, 'send'])
    for (const kept of [null, 'x', { state: 'holding', since_ms: 1 }, { state: 'calling', times: 'many' }, { state: 'answered', by: 'x', at_ms: 1 }]) expect(restored(kept)).toEqual(IDLE)
  })
})
