// Numbers as the wall writes them: thin spaces between thousands, unit after a space.

const THIN = '\u2009'
const MISSING = '—'

/** `22000` → `22 000` with thin spaces; null and non-finite values become a dash. */
export function number(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING
  const fixed = Math.abs(value).toFixed(digits)
  const [whole = '0', fraction] = fixed.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN)
  const sign = value < 0 && Number(fixed) !== 0 ? '−' : ''
  return sign + grouped + (fraction ? `.${fraction}` : '')
}

/** Discharge to 1 m³/s, stage to 0.01 m, rain to 0.1 mm. */
export function quantity(value: number | null | undefined, kind: 'discharge' | 'stage' | 'rain'): string {
  return number(value, kind === 'stage' ? 2 : kind === 'rain' ? 1 : 0)
}

const UNITS: Record<string, string> = { 'm3/s': 'm³/s', m3s: 'm³/s' }

/** The unit as printed. */
export function unit(name: string): string {
  return UNITS[name] ?? name
}

/** `0.934` → `93%`; null → dash. */
export function percent(rate: number | null | undefined): string {
  return rate === null || rate === undefined || !Number.isFinite(rate) ? MISSING : `${Math.floor(rate * 100 + 1e-9)}%`
}

/** Reads what a person typed: spaces, commas and full-width digits allowed; null when it is no number. */
export function parseNumber(text: string): number | null {
  const plain = text.normalize('NFKC').replace(/[\s,'_\u2009]/g, '')
  if (!/^-?\d+(\.\d+)?$/.test(plain)) return null
  const value = Number(plain)
  return Number.isFinite(value) ? value : null
}

/** Metres along the levee → `K9+200`. */
export function chainage(metres: number | null | undefined): string {
  if (metres === null || metres === undefined || !Number.isFinite(metres)) return MISSING
  const whole = Math.round(metres)
  const sign = whole < 0 ? '−' : ''
  const km = Math.floor(Math.abs(whole) / 1000)
  return `${sign}K${km}+${String(Math.abs(whole) % 1000).padStart(3, '0')}`
}

/** A stretch of levee, or a point when both ends agree. */
export function chainageRange(from: number | undefined, to: number | undefined): string {
  if (from === undefined) return ''
  return to === undefined || to === from ? chainage(from) : `${chainage(from)}–${chainage(to)}`
}
