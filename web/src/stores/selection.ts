// Members picked for a message, and the one feature that is looked at.
import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Focus { layer: string; id: string }

export const useSelection = defineStore('selection', () => {
  const members = ref(new Set<string>())
  const focus = ref<Focus | null>(null)

  const set = (ids: Iterable<string>): void => void (members.value = new Set(ids))
  const add = (ids: Iterable<string>): void => set([...members.value, ...ids])
  function toggle(id: string): void {
    const next = new Set(members.value)
    if (!next.delete(id)) next.add(id)
    members.value = next
  }
  const clear = (): void => set([])

  return { members, focus, set, add, toggle, clear }
})
