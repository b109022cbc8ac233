// Choices of this phone, kept in its own storage: large text, daylight theme, ring.
import { reactive, watch } from 'vue'

export interface Settings { large: boolean; light: boolean; sound: boolean }

const KEY = 'anlan.patrol.settings'
const DEFAULT: Settings = { large: false, light: false, sound: true }

/** Settings from stored text; anything unreadable is the default. */
export function settingsFrom(text: string | null): Settings {
  try {
    const kept = JSON.parse(text ?? '{}') as Partial<Record<keyof Settings, unknown>>
    const flag = (key: keyof Settings): boolean => (typeof kept[key] === 'boolean' ? kept[key] : DEFAULT[key])
    return { large: flag('large'), light: flag('light'), sound: flag('sound') }
  } catch {
    return { ...DEFAULT }
  }
}

export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

export function writeKept(key: string, text: string): void {
  try {
    localStorage.setItem(key, text)
  } catch {
    // As above.
  }
}

export const settings = reactive(settingsFrom(readKept(KEY)))
watch(settings, () => writeKept(KEY, JSON.stringify(settings)))
