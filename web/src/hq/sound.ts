// Three tones. Browsers are silent until a person has touched the page, so the operator arms the sound.
import { ref } from 'vue'

export type Tone = 'info' | 'alarm' | 'sos'
const MUTE_MS = 10 * 60_000
/** Pitch in Hz and length in s of each note. */
const NOTES: Record<Tone, [number, number][]> = {
  info: [[660, 0.12]],
  alarm: [[880, 0.18], [660, 0.18], [880, 0.18]],
  sos: [[990, 0.12], [990, 0.12], [990, 0.12], [740, 0.35], [740, 0.35], [990, 0.12], [990, 0.12], [990, 0.12]],
}

let context: AudioContext | null = null
let unmute: ReturnType<typeof setTimeout> | null = null
export const sound = ref<'off' | 'armed' | 'muted'>('off')

/** Off → armed; armed → muted for ten minutes; muted → armed. Must be called from a click or a key. */
export async function toggleSound(): Promise<void> {
  if (unmute) clearTimeout(unmute)
  if (sound.value === 'armed') {
    sound.value = 'muted'
    unmute = setTimeout(() => (sound.value = 'armed'), MUTE_MS)
    return
  }
  context ??= new AudioContext()
  await context.resume()
  sound.value = 'armed'
  play('info')
}

export function play(tone: Tone): void {
  if (sound.value !== 'armed' || !context) return
  let at = context.currentTime + 0.02
  for (const [pitch, length] of NOTES[tone]) {
    const gain = context.createGain()
    const voice = context.createOscillator()
    voice.frequency.value = pitch
    gain.gain.setValueAtTime(0, at)
    gain.gain.linearRampToValueAtTime(0.22, at + 0.015)
    gain.gain.linearRampToValueAtTime(0, at + length)
    voice.connect(gain).connect(context.destination)
    voice.start(at)
    voice.stop(at + length)
    at += length + 0.06
  }
}
