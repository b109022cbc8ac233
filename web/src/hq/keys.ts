// Single-key commands. They can be switched off, and are ignored while somebody types.
import { onBeforeUnmount, onMounted, ref } from 'vue'

const KEY = 'anlan.keys'
const stored = (): boolean => {
  try {
    return localStorage.getItem(KEY) !== 'off'
  } catch {
    return true
  }
}

export const keysOn = ref(stored())

export function setKeys(on: boolean): void {
  keysOn.value = on
  try {
    localStorage.setItem(KEY, on ? 'on' : 'off')
  } catch {
    // Kept for this page only.
  }
}

/** `Shift+Enter`, `Escape`, `q`, `?`: as pressed, letters in lower case. */
export function keyName(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return event.shiftKey && event.key.length > 1 ? `Shift+${key}` : key
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || target.matches('input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select')
}

/** A key that the focused control needs for itself. */
function isTaken(event: KeyboardEvent): boolean {
  if (!(event.target instanceof HTMLElement)) return false
  const pressable = event.target.matches('button, a, summary, [role=button], [role=menuitem], [role=tab], input')
  if (pressable && (event.key === ' ' || event.key === 'Enter')) return true
  return event.target.matches('[role=slider], input[type=range], [role=menu], [role=menu] *') && /^(Arrow|Home|End|Page)/.test(event.key)
}

/** `always` names the keys that also work while typing and with single keys switched off. */
export function useKeys(commands: Record<string, (event: KeyboardEvent) => void>, always: string[] = []): void {
  function listen(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
    const name = keyName(event)
    const command = commands[name]
    if (!command) return
    if (!always.includes(name) && (!keysOn.value || isTyping(event.target) || isTaken(event))) return
    // An open dialog has the keyboard.
    if (document.querySelector('[role=dialog], [role=menu]')) return
    event.preventDefault()
    command(event)
  }
  onMounted(() => document.addEventListener('keydown', listen))
  onBeforeUnmount(() => document.removeEventListener('keydown', listen))
}
