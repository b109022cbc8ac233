// The kinds of hazard a patrol can report, as the playbook names them, each with a small drawing made for this app.
// Colours come from the classes: w water, e earth, s stone, m the fault itself, l a thin line, d what is gone.

export type Family = 'seepage' | 'movement' | 'wave' | 'stonework' | 'breach'
export interface Hazard { type: string; sign: string; group: 'levee' | 'dam' | 'other'; family: Family; drawing: string }

const GROUND = '<path class="l" d="M0 40H64"/>'
const WATER = '<path class="w" d="M0 22H15.5L4 40H0z"/>'
const LEVEE = `${WATER}<path class="e" d="M4 40L22 13H37L60 40z"/>${GROUND}`
const STONES = '<g class="s"><circle cx="13" cy="37" r="3.4"/><circle cx="16.5" cy="31" r="3.2"/><circle cx="19.5" cy="25" r="3.2"/><circle cx="22.5" cy="19" r="3.2"/></g>'
const DAM = `<path class="w" d="M0 18H22L12 40H0z"/><path class="e" d="M15 40L26 13H64V40z"/>${STONES}${GROUND}`
const DROP = (x: number, y: number): string => `<path class="m" d="M${x} ${y}c-2.6 3.4-2.6 6 0 6s2.6-2.6 0-6z"/>`

export const HAZARDS: readonly Hazard[] = [
  { type: 'seepage', sign: '渗', group: 'levee', family: 'seepage', drawing: `${LEVEE}<path class="f" d="M46.5 24L60 40H44z"/>${DROP(49, 25)}${DROP(54, 31)}${DROP(47, 33)}` },
  { type: 'piping', sign: '涌', group: 'levee', family: 'seepage', drawing: '<path class="w" d="M0 20H13L3 36H0z"/><path class="e" d="M3 36L17 11H28L43 36z"/><path class="l" d="M0 36H64M8 42C24 47 44 47 52 38"/><path class="e" d="M44 36L50 29H55L61 36z"/><path class="a" d="M50 27C48 21 47 19 44 17M52.5 26V14M55 27C57 21 58 19 61 17"/>' },
  { type: 'leak_tunnel', sign: '漏', group: 'levee', family: 'seepage', drawing: `${LEVEE}<path class="t" d="M9 29C24 33 36 30 50 32"/><path class="a" d="M50 32C56 32 60 34 62 38M51 30C57 29 61 31 63 33"/>` },
  { type: 'slide', sign: '滑', group: 'levee', family: 'movement', drawing: `${LEVEE}<path class="m" d="M34 13H37L60 40H50C40 38 34 28 34 13z"/><path class="k" d="M44 25L51 34M51 34V28.5M51 34H45.5"/>` },
  { type: 'crack', sign: '裂', group: 'levee', family: 'movement', drawing: `${LEVEE}<path class="a" d="M28 12L30.5 18L27 23L31 29L28.5 34"/><path class="a" d="M34 12L35.5 17L33.5 21"/>` },
  { type: 'bank_cave', sign: '坍', group: 'levee', family: 'movement', drawing: `<path class="w" d="M0 24H22V40H0z"/><path class="e" d="M22 40V13H40L60 40z"/><path class="d" d="M4 40L22 13"/><path class="m" d="M13 17l6 2-2 6-6-1zM7 28l6 1-1 6-6-1zM15 30l5 1-1 5-5-1z"/>${GROUND}` },
  { type: 'sinkhole', sign: '陷', group: 'levee', family: 'movement', drawing: `${WATER}<path class="e" d="M4 40L22 13H25C25 22 27 27 31 27S37 22 37 13L60 40z"/><path class="a" d="M31 8V22M31 22L27.5 18M31 22L34.5 18"/>${GROUND}` },
  { type: 'wave_scour', sign: '浪', group: 'levee', family: 'wave', drawing: '<path class="w" d="M0 20c4-5 7-5 9 0 2-5 6-5 8 0l-3 20H0z"/><path class="e" d="M5 40C12 38 8 32 14 31C12 25 18 26 18 20C22 20 20 15 24 13H38L60 40z"/><path class="a" d="M4 12C10 7 14 9 15 15M15 15L11.5 13M15 15L17.5 11.5"/><path class="l" d="M0 40H64"/>' },
  { type: 'overtopping', sign: '漫', group: 'levee', family: 'wave', drawing: '<path class="e" d="M4 40L22 16H37L60 40z"/><path class="w" d="M0 10H37C42 11 52 26 64 38V40H60L37 16H22L4 40H0z"/><path class="a" d="M12 6H40M40 6L36 3M40 6L36 9"/><path class="l" d="M0 40H64"/>' },
  { type: 'toe_stone_loss', sign: '根', group: 'dam', family: 'stonework', drawing: `<path class="w" d="M0 18H22L12 40H0z"/><path class="e" d="M15 40L26 13H64V40z"/><g class="s"><circle cx="19.5" cy="25" r="3.2"/><circle cx="22.5" cy="19" r="3.2"/></g><g class="d"><circle cx="16" cy="31" r="3"/><circle cx="13" cy="37" r="3"/></g><path class="a" d="M11 33H2M2 33L5.5 30M2 33L5.5 36"/>${GROUND}` },
  { type: 'stone_fall', sign: '坠', group: 'dam', family: 'stonework', drawing: `<path class="w" d="M0 22H20L12 40H0z"/><path class="e" d="M15 40L26 13H64V40z"/><g class="s"><circle cx="13" cy="37" r="3.2"/><circle cx="16.5" cy="31" r="3.2"/><circle cx="19.5" cy="25" r="3.2"/></g><circle class="m" cx="9" cy="18" r="4"/><path class="a" d="M21 14C17 10 12 9 10 12M9 25V31M9 31L6.5 28.5M9 31L11.5 28.5"/>${GROUND}` },
  { type: 'face_stone_collapse', sign: '坦', group: 'dam', family: 'stonework', drawing: `<path class="w" d="M0 22H20L12 40H0z"/><path class="e" d="M19 40C19 32 28 30 26 20V13H64V40z"/><g class="m"><circle cx="7" cy="37" r="3.4"/><circle cx="13" cy="33" r="3.4"/><circle cx="14.5" cy="38" r="3"/><circle cx="18" cy="27" r="3.2"/><circle cx="4" cy="31" r="2.6"/></g><path class="d" d="M15 40L26 13"/>${GROUND}` },
  { type: 'dam_subsidence', sign: '蛰', group: 'dam', family: 'stonework', drawing: `<path class="w" d="M0 18H22L12 40H0z"/><path class="e" d="M15 40L21 24H42V13H64V40z"/><path class="d" d="M21 24L26 13H42"/><path class="a" d="M32 8V22M32 22L28.5 18.5M32 22L35.5 18.5"/>${GROUND}` },
  { type: 'dam_collapse', sign: '垮', group: 'dam', family: 'stonework', drawing: `<path class="w" d="M0 20H36V40H0z"/><path class="e" d="M36 40L38 30L34 24L40 13H64V40z"/><path class="m" d="M8 30l9-3 4 7-8 5zM22 22l8-2 2 8-8 2zM24 34l8-1 1 6h-8z"/><path class="d" d="M15 40L26 13H40"/>${GROUND}` },
  { type: 'back_scour', sign: '膛', group: 'dam', family: 'stonework', drawing: `${DAM}<path class="m" d="M25 19C30 16 36 19 35 25S27 33 22 31z"/><path class="k" d="M6 26C14 22 22 28 29 24"/>` },
  { type: 'dam_back_erosion', sign: '裆', group: 'dam', family: 'stonework', drawing: '<path class="w" d="M0 0H64V22H0z"/><path class="e" d="M0 44V30H8L14 6H22L18 30C24 40 40 40 46 30L42 6H50L56 30H64V44z"/><path class="a" d="M32 8V30M32 30L28 26M32 30L36 26"/>' },
  { type: 'dam_overflow', sign: '漫', group: 'dam', family: 'wave', drawing: `<path class="e" d="M15 40L26 18H52V40z"/>${STONES}<path class="w" d="M0 11H52C57 12 60 26 64 34V40H52V18H26L12 40H0z"/><path class="a" d="M14 6H44M44 6L40 3M44 6L40 9"/>${GROUND}` },
  { type: 'breach', sign: '决', group: 'other', family: 'breach', drawing: '<path class="w" d="M0 0H64V14H0z"/><path class="w" d="M23 14C24 26 12 36 4 44H60C52 36 40 26 41 14z"/><path class="e" d="M0 14H20L24 24H0zM64 14H44L40 24H64z"/><path class="a" d="M32 6V38M32 38L27 33M32 38L37 33"/>' },
  { type: 'cross_flow', sign: '冲', group: 'other', family: 'breach', drawing: '<path class="w" d="M0 0H64V28H0z"/><path class="e" d="M0 28H64V40H0z"/><path class="a" d="M14 4C22 4 30 8 30 24M30 24L26 19.5M30 24L34 19.5M34 4C42 4 46 10 46 24M46 24L42 19.5M46 24L50 19.5"/>' },
  { type: 'gate_seepage', sign: '闸', group: 'other', family: 'seepage', drawing: `${LEVEE}<path class="k2" d="M8 31H52V38H8z"/>${DROP(50, 23)}${DROP(56, 29)}<path class="a" d="M52 35H62"/>` },
  { type: 'gate_slip', sign: '闸', group: 'other', family: 'movement', drawing: `${LEVEE}<path class="k2" d="M24 5H34V24H24z"/><path class="a" d="M29 9V20M29 20L26 17M29 20L32 17M40 8V18M40 18L37 15M40 18L43 15"/>` },
]

/** The kind of that id; undefined for one that this phone does not know yet. */
export function hazardOf(type: string): Hazard | undefined {
  return HAZARDS.find((hazard) => hazard.type === type)
}
