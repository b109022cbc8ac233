// Where the time control stands, in hours from now; null: it follows the clock.
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const useScrub = defineStore('scrub', () => ({ ahead_h: ref<number | null>(null) }))
