// The server writes a refusal in both languages, `中文 (English)`; a page shows its own.
import { currentLocale, type Locale } from './index'

const BOTH = /^(.*[\u4e00-\u9fff].*?)\s*\(([^\u4e00-\u9fff]*[a-z]{2}[^\u4e00-\u9fff]*)\)[。.]?$/su

/** One language of a text that carries both; any other text as it is. */
export function inLanguage(text: string, locale: Locale = currentLocale()): string {
  const found = BOTH.exec(text)
  if (!found) return text
  return (locale === 'en' ? found[2] : found[1]) ?? text
}
