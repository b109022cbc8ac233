// Which river a page speaks of, from its address: `?drill=<id>` is that drill's, none is the live one. Anything else is
// nobody's: it must not quietly become the live river.

/** The drill's id; null: the live river; undefined: the address does not tell. */
export function drillOf(query: Record<string, unknown>): string | null | undefined {
  if (!('drill' in query)) return null
  return typeof query.drill === 'string' && query.drill !== '' ? query.drill : undefined
}
