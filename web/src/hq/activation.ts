// What the activation button would ask for: the level of the what-if, else the level that the server proposes.
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import type { Level, Situation } from '@/api/types'
import { useLive } from '@/stores/live'
import { useDrillState } from '@/stores/drillState'
import { usePreview } from '@/stores/preview'
import { useSession } from '@/stores/session'

/** Order of severity, for lists of choices. */
export const LEVELS: Level[] = ['none', 'blue', 'yellow', 'orange', 'red']

/** What a change from one level to another is called: `calm` is none to none, `lift` ends a response. */
export type Step = 'calm' | 'lift' | 'lower' | 'same' | 'raise'

export function stepOf(from: Level, to: Level): Step {
  if (to === 'none') return from === 'none' ? 'calm' : 'lift'
  const up = LEVELS.indexOf(to) - LEVELS.indexOf(from)
  return up > 0 ? 'raise' : up < 0 ? 'lower' : 'same'
}

/** The level that the water asks for. What people put above the water is theirs to lower: a lower one counts only on the way down. */
export function wished(told: Situation['level']): Level {
  const isBelow = ['lower', 'lift'].includes(stepOf(told.in_force, told.proposed))
  return isBelow && !told.lowering ? told.in_force : told.proposed
}

interface Target {
  level: ComputedRef<Level | null>
  label: ComputedRef<string>
  /** Why nobody may ask now; empty: ask. */
  reason: ComputedRef<string>
  /** The what-if reaches no level and none is in force: there is nothing to ask for. */
  calm: ComputedRef<boolean>
  /** It takes orders back: no button to be pressed in haste. */
  down: ComputedRef<boolean>
}

export function useActivationTarget(): Target {
  const live = useLive()
  const preview = usePreview()
  const session = useSession()
  const drillState = useDrillState()
  const { t } = useI18n()
  const level = computed(() => preview.result?.level ?? (live.situation ? wished(live.situation.level) : null))
  const inForce = computed<Level>(() => live.situation?.level.in_force ?? 'none')
  const calm = computed(() => preview.result !== null && stepOf(inForce.value, preview.result.level) === 'calm')
  const label = computed(() => {
    // Without a what-if and without a proposal the dialog asks which level is meant.
    if (!level.value || (!preview.active && level.value === inForce.value)) return t('hq.activate.plain')
    return t(`hq.activate.ask.${stepOf(inForce.value, level.value)}`, { response: t(`level.${level.value}.response`) })
  })
  const reason = computed(() => {
    if (!session.may('activate')) return t('error.forbidden')
    if (!live.situation) return t('hq.loading')
    if (drillState.word === 'over') return t('hq.activate.drillOver')
    if (live.situation.activation) return t('hq.activate.underWay')
    if (calm.value) return t('hq.activate.calm')
    return ''
  })
  const down = computed(() => level.value !== null && ['lower', 'lift'].includes(stepOf(inForce.value, level.value)))
  return { level, label, reason, calm, down }
}
