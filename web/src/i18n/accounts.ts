// Who the accounts of a drill's virtual officers are, in words; the account itself stays beside them.
import { currentLocale, type Locale } from './index'

const OFFICERS: Record<string, Record<Locale, string>> = {
  'drill-duty-a': { 'zh-CN': '演练值班员甲', en: 'Drill duty officer A' },
  'drill-duty-b': { 'zh-CN': '演练值班员乙', en: 'Drill duty officer B' },
  'drill-commander': { 'zh-CN': '演练指挥长', en: 'Drill commander' },
}
const ACCOUNT = new RegExp(`(?<![\\w(-])(?:${Object.keys(OFFICERS).join('|')})(?![\\w-])`, 'g')

/** A text with those accounts named; any other text, and any other account, as it is. */
export function withNames(text: string, locale: Locale = currentLocale()): string {
  return text.replace(ACCOUNT, (account) => `${OFFICERS[account]?.[locale] ?? account} (${account})`)
}
