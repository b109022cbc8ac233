// The live twin: where water is or comes with the river as it is, and what it leaves of the time for each task.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { api } from '@/api/client'
import type { Task, TaskWater, TwinNow } from '@/api/types'
import { repeat } from './repeat'

const EVERY_MS = 15_000

export const useTwin = defineStore('twin', () => {
  const now = shallowRef<TwinNow | null>(null)
  const fault = shallowRef<unknown>(null)
  const byTask = computed(() => new Map<string, TaskWater>((now.value?.tasks ?? []).map((water) => [water.id, water])))

  /** The newest word on a task: that of the twin, which is asked for anew, before that of the task itself. */
  function waterOf(task: Task): TaskWater | null {
    const open = ['done', 'verified', 'withdrawn'].includes(task.status) ? null : task.water ?? null
    if (!open || !now.value) return open
    return byTask.value.get(task.id) ?? (open.slack_min === null ? open : null)
  }

  async function refresh(): Promise<void> {
    try {
      now.value = await api.get<TwinNow>('/twin/now')
      fault.value = null
    } catch (cause) {
      // What was shown is not the water of now any more.
      now.value = null
      fault.value = cause
    }
  }

  return { now, fault, byTask, waterOf, ...repeat(refresh, EVERY_MS) }
})
