// Language of the interface. Each room of the app brings its own messages (`<room>/messages.ts`) and
// adds them when its page is loaded, so that the phone does not carry the texts of the wall.
import { createI18n } from 'vue-i18n'
import { shared } from './messages'

export const locales = ['zh-CN', 'en'] as const
export type Locale = (typeof locales)[number]
/** Messages of one room: both languages, the same keys. */
export type Messages = Record<Locale, Record<string, unknown>>

const KEY = 'anlan.locale'

function remembered(): Locale {
  try {
    return localStorage.getItem(KEY) === 'en' ? 'en' : 'zh-CN'
  } catch {
    return 'zh-CN' // Storage may be forbidden; the language is then kept for this page only.
  }
}

export const i18n = createI18n({
  legacy: false,
  locale: remembered() as string,
  fallbackLocale: 'zh-CN',
  messages: shared as never,
})

/** Adds the texts of one room under its name. */
export function addMessages(messages: Messages): void {
  for (const locale of locales) i18n.global.mergeLocaleMessage(locale, messages[locale])
}

export function currentLocale(): Locale {
  return i18n.global.locale.value === 'en' ? 'en' : 'zh-CN'
}

export function setLocale(locale: Locale): void {
  i18n.global.locale.value = locale
  document.documentElement.lang = locale
  try {
    localStorage.setItem(KEY, locale)
  } catch {
    // As above.
  }
}

/** The text of the language in use, of a pair sent by the server. */
export function pick(text: { zh: string; en: string } | null | undefined): string {
  if (!text) return ''
  return currentLocale() === 'en' ? text.en || text.zh : text.zh || text.en
}
