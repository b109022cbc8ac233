import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError, api } from '@/api/client'
import type { Inundation, Preview, Spread, TwinRun } from '@/api/types'
import { usePreview } from './preview'

const SITES = [{ id: 'work-madu', name: { zh: '马渡险工', en: 'Madu' } }]
const water = (breach: string | null, run: number | null = null): Inundation => ({ scenario: { discharge_m3s: 1, breach, rests: 'exact', run, words: { zh: '', en: '' } }, breach_sites: SITES }) as unknown as Inundation
const answer = (discharge_m3s: number, breach: string | null = null): Preview => ({ id: `prv-${discharge_m3s}-${breach}`, discharge_m3s, inundation: water(breach), inundation_reason: null }) as unknown as Preview
const job = (change: Partial<TwinRun> = {}): TwinRun => ({ id: 7, kind: 'twin-spread', discharge_m3s: 15_000, breach: null, members: 20, state: 'queued', progress: 0, cell_m: 50, asked_by: 'a', asked_at: '', why: null, ...change })
const refusal = (status: number): ApiError => new ApiError({ type: '', title: '', status, detail: '排满 (full)' })
const SPREAD = { members: [], places: [] } as unknown as Spread

/** Answers that come when the test says so. */
function slow<T>(): { promise: Promise<T>; give: (value: T) => void } {
  let give: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => (give = done))
  return { promise, give }
}
type Body = { discharge_m3s: number; breach?: string; members?: number }
const post = () => vi.spyOn(api, 'post')
/** The server: dry runs at once, jobs as `runs` says. */
function server(runs: () => Promise<TwinRun> = () => Promise.resolve(job())) {
  return post().mockImplementation((path, body) => (path === '/preview' ? Promise.resolve(answer((body as Body).discharge_m3s, (body as Body).breach)) : runs()) as never)
}
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(2_000)

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('an assumed breach', () => {
  it('is asked for anew, kept for another discharge and dropped with the what-if', async () => {
    const asked = server()
    const preview = usePreview()
    await preview.run(15_000)
    expect(preview.sites).toEqual(SITES)
    await preview.assume('work-madu')
    await preview.run(22_000)
    await preview.assume(null)
    preview.leave()
    expect([preview.breach, preview.active]).toEqual([null, false])
    await preview.run(9_000)
    expect(asked.mock.calls.map((call) => call[1])).toEqual([
      { discharge_m3s: 15_000 }, { discharge_m3s: 15_000, breach: 'work-madu' }, { discharge_m3s: 22_000, breach: 'work-madu' }, { discharge_m3s: 22_000 }, { discharge_m3s: 9_000 },
    ])
  })

  it('goes with the discharge in the field, not with the one shown before', async () => {
    const asked = server()
    const preview = usePreview()
    await preview.run(15_000)
    preview.draft = 18_000
    await preview.assume('work-madu')
    expect(asked.mock.lastCall?.[1]).toEqual({ discharge_m3s: 18_000, breach: 'work-madu' })
  })

  it('wins over the answer that was under way when it was chosen', async () => {
    const [before, after] = [slow<Preview>(), slow<Preview>()]
    post().mockReturnValueOnce(before.promise).mockReturnValueOnce(after.promise)
    const preview = usePreview()
    const first = preview.run(15_000)
    const second = preview.assume('work-madu')
    after.give(answer(15_000, 'work-madu'))
    await second
    before.give(answer(15_000))
    await first
    expect(preview.result?.inundation?.scenario.breach).toBe('work-madu')
    expect(preview.running).toBe(false)
  })

  it('that brings no water leaves the sites, so that it can be taken back', async () => {
    const preview = usePreview()
    server()
    await preview.run(15_000)
    post().mockResolvedValueOnce({ ...answer(15_000), inundation: null })
    await preview.assume('work-madu')
    expect([preview.breach, preview.sites]).toEqual(['work-madu', SITES])
  })

  it('is carried to the finer run and to the spread: the one that is shown, not the one just chosen', async () => {
    const asked = server()
    const preview = usePreview()
    await preview.run(15_000)
    await preview.assume('work-madu')
    await preview.refine()
    expect(asked.mock.lastCall).toEqual(['/twin/runs', { discharge_m3s: 15_000, breach: 'work-madu' }])
    await preview.askSpread()
    expect(asked.mock.lastCall).toEqual(['/twin/runs', { discharge_m3s: 15_000, breach: 'work-madu', members: 20 }])
    preview.breach = null
    await preview.refine()
    expect(asked.mock.lastCall?.[1]).toEqual({ discharge_m3s: 15_000, breach: 'work-madu' })
  })
})

describe('a breach that is reported', () => {
  const reported = (q: number, at: string): Preview => {
    const own = answer(q, at)
    return { ...own, inundation: { ...own.inundation!, scenario: { ...own.inundation!.scenario, breach_reported: true } } }
  }
  it('is shown as the choice, is not asked for in turn, and goes when it is reported no more', async () => {
    const asked = server()
    const preview = usePreview()
    asked.mockResolvedValueOnce(reported(15_000, 'work-madu'))
    await preview.run(15_000)
    expect(preview.breach).toBe('work-madu')
    asked.mockResolvedValueOnce(reported(22_000, 'work-hyk'))
    await preview.run(22_000)
    expect([preview.breach, asked.mock.lastCall?.[1]]).toEqual(['work-hyk', { discharge_m3s: 22_000 }])
    await preview.run(23_000)
    expect([preview.breach, asked.mock.lastCall?.[1]]).toEqual([null, { discharge_m3s: 23_000 }])
  })

  it('gives way to another one that is assumed, and is itself again when it is chosen back', async () => {
    const asked = server()
    const preview = usePreview()
    asked.mockResolvedValueOnce(reported(15_000, 'work-madu'))
    await preview.run(15_000)
    await preview.assume('work-hyk')
    expect([preview.breach, asked.mock.lastCall?.[1]]).toEqual(['work-hyk', { discharge_m3s: 15_000, breach: 'work-hyk' }])
    asked.mockResolvedValueOnce(reported(15_000, 'work-madu'))
    await preview.assume('work-madu')
    expect([preview.breach, preview.result?.inundation?.scenario.breach_reported, asked.mock.lastCall?.[1]]).toEqual(['work-madu', true, { discharge_m3s: 15_000 }])
    asked.mockResolvedValueOnce(reported(15_000, 'work-madu'))
    await preview.assume(null)
    expect(preview.breach).toBe('work-madu')
  })

  it('stays called reported when a finer run takes the place of the water', async () => {
    const asked = server(() => Promise.resolve(job({ state: 'done', inundation: water('work-madu', 7) })))
    const preview = usePreview()
    asked.mockResolvedValueOnce(reported(15_000, 'work-madu'))
    await preview.run(15_000)
    await preview.refine()
    expect(asked.mock.lastCall?.[1]).toEqual({ discharge_m3s: 15_000, breach: 'work-madu' })
    expect(preview.result?.inundation?.scenario).toMatchObject({ run: 7, breach_reported: true })
  })
})

describe('a finer run', () => {
  it('leaves the answer of the library beside it until other water is asked for', async () => {
    server(() => Promise.resolve(job({ state: 'done', inundation: water(null, 7) })))
    const preview = usePreview()
    await preview.run(15_000)
    const library = preview.result?.inundation
    expect(preview.library).toBeNull()
    await preview.refine()
    expect([preview.library, preview.result?.inundation?.scenario.run]).toEqual([library, 7])
    await preview.run(16_000)
    expect(preview.library).toBeNull()
  })

  it('takes the place of the shown water when it is done', async () => {
    server(() => Promise.resolve(job({ members: null })))
    const look = vi.spyOn(api, 'get').mockResolvedValueOnce(job({ state: 'running', progress: 0.4 })).mockResolvedValueOnce(job({ state: 'done', inundation: water(null, 7) }))
    const preview = usePreview()
    await preview.run(15_000)
    await preview.refine()
    expect(preview.finer.job?.state).toBe('queued')
    await settle()
    expect(preview.finer.job?.progress).toBe(0.4)
    await settle()
    expect(preview.result?.inundation?.scenario.run).toBe(7)
    await settle()
    expect(look).toHaveBeenCalledTimes(2)
  })

  it('asked for while another preview is under way never covers the newer water', async () => {
    const [newer, late] = [slow<Preview>(), slow<TwinRun>()]
    server()
    const preview = usePreview()
    await preview.run(15_000)
    post().mockImplementation((path) => (path === '/preview' ? newer.promise : late.promise) as never)
    const turn = preview.run(22_000)
    const refining = preview.refine()
    newer.give(answer(22_000))
    await turn
    late.give(job({ state: 'done', inundation: water('old', 7) }))
    await refining
    expect(preview.result?.discharge_m3s).toBe(22_000)
    expect(preview.result?.inundation?.scenario.run).toBeNull()
  })
})

describe('a spread', () => {
  async function asked(runs?: () => Promise<TwinRun>) {
    const calls = server(runs)
    const preview = usePreview()
    await preview.run(15_000)
    await preview.askSpread()
    return { preview, calls }
  }

  it('is looked for until it is done, and the water stays', async () => {
    const look = vi.spyOn(api, 'get').mockResolvedValueOnce(job({ state: 'running', progress: 0.5 })).mockResolvedValueOnce(job({ state: 'done', spread: SPREAD }))
    const { preview } = await asked()
    const before = preview.result
    await settle()
    await settle()
    await settle()
    expect(look.mock.calls).toEqual([['/twin/runs/7'], ['/twin/runs/7']])
    expect(preview.spread.job?.spread).toEqual(SPREAD)
    expect(preview.result).toBe(before)
  })

  it('ends as cancelled when it is taken back, and nobody looks any more', async () => {
    const remove = vi.spyOn(api, 'delete').mockResolvedValueOnce(job({ state: 'cancelled' }))
    const look = vi.spyOn(api, 'get')
    const { preview } = await asked()
    await preview.spread.cancel()
    await settle()
    expect([remove.mock.lastCall?.[0], preview.spread.job?.state, look.mock.calls.length]).toEqual(['/twin/runs/7', 'cancelled', 0])
  })

  it('that ended before it could be taken back tells how it ended, and no fault', async () => {
    vi.spyOn(api, 'delete').mockRejectedValueOnce(refusal(409))
    vi.spyOn(api, 'get').mockResolvedValueOnce(job({ state: 'done', spread: SPREAD }))
    const { preview } = await asked()
    await preview.spread.cancel()
    expect(preview.spread.fault).toBeNull()
    await settle()
    expect(preview.spread.job?.spread).toEqual(SPREAD)
  })

  it('failed, refused or lost says so', async () => {
    const failed = await asked(() => Promise.resolve(job({ state: 'failed', why: '地形已更换 (the terrain has changed)' })))
    expect(failed.preview.spread.job?.state).toBe('failed')
    const full = await asked(() => Promise.reject(refusal(429)))
    expect([full.preview.spread.job, (full.preview.spread.fault as ApiError).status, full.preview.spread.busy]).toEqual([null, 429, false])
    vi.spyOn(api, 'get').mockRejectedValueOnce(refusal(404))
    const gone = await asked()
    await settle()
    expect([gone.preview.spread.job, (gone.preview.spread.fault as ApiError).status]).toEqual([null, 404])
  })

  it('is looked for again after the line was cut', async () => {
    vi.spyOn(api, 'get').mockRejectedValueOnce(refusal(0)).mockResolvedValueOnce(job({ state: 'done', spread: SPREAD }))
    const { preview } = await asked()
    await settle()
    expect(preview.spread.fault).toBeInstanceOf(ApiError)
    await settle()
    expect([preview.spread.fault, preview.spread.job?.state]).toEqual([null, 'done'])
  })

  it('is not shown for another discharge, however late it answers, nor after the what-if is left', async () => {
    const late = slow<TwinRun>()
    const look = vi.spyOn(api, 'get').mockReturnValueOnce(late.promise)
    const { preview } = await asked()
    await settle()
    expect(look).toHaveBeenCalledTimes(1)
    await preview.run(22_000)
    late.give(job({ state: 'done', spread: SPREAD }))
    await settle()
    expect(preview.spread.job).toBeNull()
    await preview.askSpread()
    preview.leave()
    await settle()
    expect([preview.spread.job, look.mock.calls.length]).toEqual([null, 1])
  })
})
