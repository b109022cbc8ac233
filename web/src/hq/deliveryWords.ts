// Names of channels and states of deliveries; those that are not known are shown as they were sent.
import { useI18n } from 'vue-i18n'

export function useDeliveryWords(): { channelName: (channel: string) => string; stateName: (state: string) => string } {
  const { t, te } = useI18n()
  const word = (group: string) => (name: string): string => (te(`hq.${group}.${name}`) ? t(`hq.${group}.${name}`) : name)
  return { channelName: word('channel'), stateName: word('delivery') }
}
