import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ApiError, api, enterDrill } from '@/api/client'
import type { DrillState, Situation } from '@/api/types'
import { useDrillState } from './drillState'

const told = (state: DrillState, id = 'drill-1'): Situation['drill'] => ({ id, flood: 'f', state, speed: 600 })
const refusal = (status: number): ApiError => new ApiError({ type: '', title: '', status, detail: '' })
beforeEach(() => {
  setActivePinia(createPinia())
  enterDrill('drill-1')
})
afterEach(() => {
  enterDrill(null)
  vi.restoreAllMocks()
})

it('follows pause and end, and no late word brings an ended drill back', () => {
  const drill = useDrillState()
  drill.hear(told('running'))
  expect(drill.word).toBe('running')
  drill.hear(told('paused'))
  expect(drill.word).toBe('paused')
  drill.hear(told('done', 'drill-9')) // another one's end is none of this page's
  expect(drill.word).toBe('paused')
  drill.hear(told('interrupted'))
  drill.hear(told('running'))
  expect(drill.word).toBe('over')
})

it('knows an unknown drill from a server that is away', async () => {
  const drill = useDrillState()
  const get = vi.spyOn(api, 'get').mockRejectedValue(refusal(0))
  await drill.ask()
  expect(drill.word).toBe('none')
  get.mockRejectedValue(refusal(404))
  await drill.ask()
  expect(drill.word).toBe('unknown')
  enterDrill(null)
  get.mockClear()
  await drill.ask()
  expect(get).not.toHaveBeenCalled()
})
