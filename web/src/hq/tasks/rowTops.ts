// Where the rows of a long list begin, when some of their heights are known and the others are not yet.

/** The top of every row, px, and last the end of the list. */
export function topsOf(items: { id: string }[], known: ReadonlyMap<string, number>, least: number): number[] {
  const tops = [0]
  let end = 0
  for (const item of items) tops.push((end += known.get(item.id) ?? least))
  return tops
}

/** The row at a height; the last row beyond the end of the list, 0 in an empty one. */
export function rowAt(tops: number[], at: number): number {
  let [low, high] = [0, Math.max(0, tops.length - 2)]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (tops[middle]! <= at) low = middle
    else high = middle - 1
  }
  return low
}
