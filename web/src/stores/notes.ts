// Short notes to the operator, shown at the foot of the screen and read out. At most one spoken in five seconds.
import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Note { id: number; text: string; kind: 'info' | 'fault' }
const SHOWN_MS = 6_000
const SPOKEN_EVERY_MS = 5_000
const MOST = 4

export const useNotes = defineStore('notes', () => {
  const notes = ref<Note[]>([])
  /** What a screen reader says next, politely. */
  const spoken = ref('')
  /** What it says at once. */
  const urgent = ref('')
  let serial = 0
  let waiting: string | null = null
  let timer: ReturnType<typeof setTimeout> | null = null
  let lastSpoken = -Infinity

  function show(text: string, kind: Note['kind'] = 'info'): void {
    serial += 1
    const id = serial
    notes.value = [...notes.value, { id, text, kind }].slice(-MOST)
    say(text)
    setTimeout(() => (notes.value = notes.value.filter((note) => note.id !== id)), SHOWN_MS)
  }

  /** The newest text wins; those that came between are dropped. */
  function say(text: string): void {
    waiting = text
    timer ??= setTimeout(speak, Math.max(0, lastSpoken + SPOKEN_EVERY_MS - Date.now()))
  }

  function speak(): void {
    timer = null
    lastSpoken = Date.now()
    if (waiting !== null) spoken.value = waiting
    waiting = null
  }

  const shout = (text: string): void => void (urgent.value = text)

  return { notes, spoken, urgent, show, say, shout }
})
