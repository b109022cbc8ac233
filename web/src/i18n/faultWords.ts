// What went wrong with a call, in words for the person who made it.
import { ApiError } from '@/api/client'
import { i18n } from './index'
import { inLanguage } from './inLanguage'

/** A fault as one sentence in the language in use. What a person sent and got no answer to, nobody sends again for him. */
export function faultWords(fault: unknown): string {
  const { t } = i18n.global as unknown as { t: (key: string, named?: Record<string, unknown>) => string }
  if (fault instanceof DOMException) return t(fault.name === 'TimeoutError' || fault.name === 'AbortError' ? 'error.timeout' : 'error.page')
  if (!(fault instanceof ApiError)) return fault instanceof Error && fault.message ? inLanguage(fault.message) : t('error.page')
  if (fault.offline) return t(fault.isChange ? 'error.unsent' : 'error.network')
  return inLanguage(fault.problem.detail || fault.problem.title) || t('error.unreadable', { status: fault.status })
}
