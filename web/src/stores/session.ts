// Who is signed in, and what that account may do.
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { ApiError, api, exchangeToken } from '@/api/client'
import { leaveSeat } from '@/api/seat'
import type { Me } from '@/api/types'

export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null)
  const checked = ref(false)
  /** Why the one-time link of the address did not work. */
  const linkFault = ref<string | null>(null)

  /** Asks once who we are; a one-time link in the address is traded first. */
  async function check(): Promise<Me | null> {
    if (checked.value) return me.value
    try {
      me.value = await exchangeToken()
    } catch (cause) {
      linkFault.value = cause instanceof ApiError ? cause.message : null
    }
    try {
      me.value ??= await api.get<Me>('/session')
    } catch (cause) {
      me.value = null
      if (!(cause instanceof ApiError) || (cause.status !== 401 && cause.status !== 403)) throw cause
    }
    checked.value = true
    return me.value
  }

  /** A session was opened for this account. The token that phones get is not kept. */
  function opened({ name, role, member_id, person, demo, may }: Me): Me {
    me.value = { name, role, member_id, person, demo, may }
    checked.value = true
    linkFault.value = null
    return me.value
  }

  async function signIn(name: string, password: string): Promise<Me> {
    return opened(await api.post<Me>('/session', { name, password }))
  }

  async function signOut(): Promise<void> {
    await api.delete('/session')
    leaveSeat()
    me.value = null
  }

  /** The server said that the session has ended. */
  function ended(): void {
    me.value = null
  }

  const may = (what: string): boolean => me.value?.may.includes(what) ?? false

  return { me, checked, linkFault, check, opened, signIn, signOut, ended, may }
})
