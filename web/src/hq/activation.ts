// What the activation button would ask for: the level of the what-if, else the level that the server proposes.
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Level } from '@/api/types'
import { useLive } from '@/stores/live'
import { usePreview } from '@/stores/preview'
import { useSession } from '@/stores/session'

/** Order of severity, for lists of choices. */
export const LEVELS: Level[] = ['none', 'blue', 'yellow', 'orange', 'red']

export function useActivationTarget(): { level: ComputedRef<Level | null>; label: ComputedRef<string>; reason: ComputedRef<string> } {
  const live = useLive()
  const preview = usePreview()
  const session = useSession()
  const { t } = useI18n()
  const level = computed(() => preview.result?.level ?? live.situation?.level.proposed ?? null)
  const label = computed(() => {
    // Without a what-if and without a proposal the dialog asks which level is meant.
    if (!level.value || (!preview.active && level.value === live.situation?.level.in_force)) return t('hq.activate.plain')
    return level.value === 'none' ? t('hq.activate.cancelLevel') : t('hq.activate.button', { response: t(`level.${level.value}.response`) })
  })
  const reason = computed(() => {
    if (!session.may('activate')) return t('error.forbidden')
    if (!live.situation) return t('hq.loading')
    if (live.situation.activation) return t('hq.activate.underWay')
    return ''
  })
  return { level, label, reason }
}
