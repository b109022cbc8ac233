import { afterEach, expect, it, vi } from 'vitest'
import { nextTick, ref } from 'vue'
import { api } from '@/api/client'
import type { ReleaseCount } from '@/api/types'
import { useReleaseCount, type ReleaseWish } from './releaseCount'

afterEach(() => void vi.restoreAllMocks())
const settled = async (): Promise<void> => { await nextTick(); await Promise.resolve(); await Promise.resolve() }

it('asks the server anew for each wish and believes only the answer to the last one', async () => {
  const answers: ((count: ReleaseCount) => void)[] = []
  const post = vi.spyOn(api, 'post').mockImplementation(() => new Promise((done) => answers.push(done as never)))
  const wish = ref<ReleaseWish | null>(null)
  const { count } = useReleaseCount(() => wish.value)
  expect(post).not.toHaveBeenCalled()

  wish.value = { level: 'blue', prepare_for_m3s: 4500 }
  await nextTick()
  wish.value = { level: 'blue', prepare_for_m3s: null }
  await nextTick()
  expect(post.mock.calls.map((call) => call.slice(0, 2))).toEqual([['/preview/release', { level: 'blue', prepare_for_m3s: 4500 }], ['/preview/release', { level: 'blue', prepare_for_m3s: null }]])
  answers[1]!({ level: 'blue', instructions: 2, tasks: 5, people: 4, ended: 987 })
  answers[0]!({ level: 'blue', instructions: 9, tasks: 9, people: 9, ended: 9 })
  await settled()
  expect(count.value?.ended).toBe(987)
})

it('knows no number when the server does not tell one', async () => {
  vi.spyOn(api, 'post').mockRejectedValue(new Error('away'))
  const { count, fault } = useReleaseCount(() => ({ level: 'none', prepare_for_m3s: null }))
  await settled()
  expect(count.value).toBeNull()
  expect(fault.value).toBeInstanceOf(Error)
})
