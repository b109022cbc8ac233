// Sound and vibration. Browsers are silent until the first touch; `armed` says whether that touch has come.
import { ref } from 'vue'
import { settings } from './settings'

export type Tone = 'task' | 'retreat' | 'sos'

export const armed = ref(false)
let audio: AudioContext | null = null

/** Frequencies in Hz and lengths in s of each tone; the three cannot be mistaken for each other. */
const SCORE: Record<Tone, { hz: number; s: number }[]> = {
  task: [{ hz: 880, s: 0.18 }, { hz: 0, s: 0.07 }, { hz: 1175, s: 0.18 }, { hz: 0, s: 0.07 }, { hz: 880, s: 0.18 }, { hz: 0, s: 0.07 }, { hz: 1175, s: 0.35 }],
  retreat: [{ hz: 620, s: 0.5 }, { hz: 930, s: 0.5 }, { hz: 620, s: 0.5 }, { hz: 930, s: 0.5 }, { hz: 620, s: 0.5 }, { hz: 930, s: 0.5 }],
  sos: [{ hz: 1000, s: 0.12 }, { hz: 0, s: 0.1 }, { hz: 1000, s: 0.12 }, { hz: 0, s: 0.1 }, { hz: 1000, s: 0.12 }],
}
const BUZZ: Record<Tone, number[]> = { task: [300, 150, 300, 150, 600], retreat: [900, 200, 900, 200, 900], sos: [150, 100, 150, 100, 150] }

/** Called on the first touch of the page. */
export function arm(): void {
  if (armed.value) return
  try {
    audio = new AudioContext()
    void audio.resume()
    armed.value = true
  } catch {
    audio = null // No audio on this device: vibration and the screen remain.
  }
}

/** Rings and shakes. A retreat ignores the ring switch of the settings. */
export function ring(tone: Tone): void {
  if (armed.value && typeof navigator.vibrate === 'function') navigator.vibrate(BUZZ[tone])
  if (audio === null || (!settings.sound && tone === 'task')) return
  let at = audio.currentTime + 0.02
  for (const { hz, s } of SCORE[tone]) {
    if (hz > 0) note(audio, hz, at, s)
    at += s
  }
}

function note(on: AudioContext, hz: number, at: number, s: number): void {
  const voice = on.createOscillator()
  const volume = on.createGain()
  voice.type = 'square'
  voice.frequency.value = hz
  volume.gain.setValueAtTime(0, at)
  volume.gain.linearRampToValueAtTime(0.35, at + 0.01)
  volume.gain.setValueAtTime(0.35, at + s - 0.02)
  volume.gain.linearRampToValueAtTime(0, at + s)
  voice.connect(volume).connect(on.destination)
  voice.start(at)
  voice.stop(at + s)
}
