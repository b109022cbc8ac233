// Names of the kinds of hazard, as people on the levee say them.
import type { Locale } from '@/i18n'

export const hazardNames: Record<Locale, Record<string, string>> = {
  'zh-CN': {
    seepage: '渗水', piping: '管涌', leak_tunnel: '漏洞', slide: '滑坡', crack: '裂缝', bank_cave: '坍塌', sinkhole: '陷坑', wave_scour: '风浪淘刷', overtopping: '漫溢',
    toe_stone_loss: '根石走失', stone_fall: '坠石', face_stone_collapse: '坦石坍塌', dam_subsidence: '墩蛰', dam_collapse: '垮坝', back_scour: '溃膛', dam_back_erosion: '坝裆后溃', dam_overflow: '坝顶漫水',
    breach: '决口', cross_flow: '横河顶冲', gate_seepage: '涵闸渗水', gate_slip: '闸门失控',
  },
  en: {
    seepage: 'Seepage', piping: 'Sand boil', leak_tunnel: 'Leak tunnel', slide: 'Slope slide', crack: 'Crack', bank_cave: 'Bank caving', sinkhole: 'Sinkhole', wave_scour: 'Wave scour', overtopping: 'Overtopping',
    toe_stone_loss: 'Toe stone lost', stone_fall: 'Falling stone', face_stone_collapse: 'Face collapse', dam_subsidence: 'Dam sinking', dam_collapse: 'Dam collapse', back_scour: 'Cavity behind face', dam_back_erosion: 'Bay eroded', dam_overflow: 'Dam overtopped',
    breach: 'Breach', cross_flow: 'Cross current', gate_seepage: 'Gate seepage', gate_slip: 'Gate failure',
  },
}
