// Repeatable chance for sample data.
export function dice(seed: number): () => number {
  let state = seed % 2147483647
  return () => (state = (state * 16807) % 2147483647) / 2147483647
}
