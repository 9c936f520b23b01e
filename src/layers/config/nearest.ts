/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
const distance = (a: string, b: string): number => {
  let beforeLast: Array<number> = []
  let last: Array<number> = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row: Array<number> = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The known word that a misspelt one most likely means; null when none is near. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | null => {
  const begun = known.find((candidate) => word.length > 2 && candidate.startsWith(word))
  if (begun !== undefined) return begun
  let best: string | null = null
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    // A word so much longer or shorter is not near, and comparing would take time and room for both lengths.
    if (Math.abs(candidate.length - word.length) >= least) continue
    const steps = distance(word.toLowerCase(), candidate.toLowerCase())
    if (steps < least) {
      least = steps
      best = candidate
    }
  }
  return best
}
