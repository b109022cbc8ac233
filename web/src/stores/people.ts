// Members of the grid and those who have to be moved: slow data, asked for now and then.
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { allPages, api } from '@/api/client'
import type { EvacuationView, Member } from '@/api/types'
import { repeat } from './repeat'

const EVERY_MS = 15_000

export const usePeople = defineStore('people', () => {
  const members = shallowRef<Member[]>([])
  const evacuation = shallowRef<EvacuationView | null>(null)
  const membersFault = shallowRef<unknown>(null)
  const evacuationFault = shallowRef<unknown>(null)
  const byId = computed(() => new Map(members.value.map((member) => [member.member, member])))

  async function refresh(): Promise<void> {
    const [people, moving] = await Promise.allSettled([allPages<Member>('/members'), api.get<EvacuationView>('/evacuation')])
    if (people.status === 'fulfilled') members.value = people.value
    membersFault.value = people.status === 'rejected' ? people.reason : null
    if (moving.status === 'fulfilled') evacuation.value = moving.value
    evacuationFault.value = moving.status === 'rejected' ? moving.reason : null
  }

  return { members, evacuation, membersFault, evacuationFault, byId, refresh, ...repeat(refresh, EVERY_MS) }
})
