// What the server says about a file before it is kept: a table of readings, or forecasts from elsewhere.
import type { Text } from '@/api/types'

export interface TableImport {
  id: string
  state: 'previewed' | 'confirmed'
  preview: {
    kind: string; rows: number; rows_header: number; rows_ok: number; rows_bad: number; readings: number; known: number
    series: { series: string; count: number; from: string; to: string }[]
    faults: { row: number; column: string; header: string; reason: string }[]
    notes: string[]
  }
}

export interface ForecastPreview {
  kind: string
  sha256: string
  forecasts: { source: string; issued_at: string; age_s: number; variable: string; unit: string; area: string; members: number; from: string; until: string; min: number; max: number; becomes: string; becomes_text: Text; doubts: string[] }[]
  faults: { place: string; field: string; reason: string }[]
  notes: string[]
  effect: { before: { peak_m3s: number; at: string } | null; after: { peak_m3s: number; at: string } | null }
}

/** What is said beside a file of forecasts; empty words are left out. */
export function askOf(said: Record<string, string>): string {
  const words = Object.entries(said).map(([key, value]) => [key, value.trim()] as const).filter(([, value]) => value !== '')
  // A moment of the form has no offset: people at the wall write Beijing time.
  const query = new URLSearchParams(words.map(([key, value]): [string, string] => [key, key === 'issued_at' && !/(Z|[+-]\d\d:\d\d)$/.test(value) ? `${value}:00+08:00` : value]))
  return query.toString()
}
