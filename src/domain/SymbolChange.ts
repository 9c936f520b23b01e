import type { EpochMillis, TimeRange } from "./TimeRange.ts"

/**
 * A symbol that became another: `from` until `on` (00:00 UTC of that date), `to` from then on. `reused`: from when on `from` is
 * the symbol of another company; null: of nobody.
 */
export interface SymbolChange {
  readonly from: string
  readonly to: string
  readonly on: EpochMillis
  readonly reused: EpochMillis | null
}

/** Under which symbol a series is traded in a stretch of time; null: under none that is its own. */
export interface SymbolPeriod extends TimeRange {
  readonly symbol: string | null
}

const same = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase()

/** What became of a symbol that is no more: the change that ended it, unless it was taken up again as the same company's. */
export const endOf = (changes: ReadonlyArray<SymbolChange>, symbol: string): SymbolChange | null => {
  const last = changes.filter(({ from }) => same(from, symbol)).toSorted((a, b) => b.on - a.on)[0]
  if (last === undefined) return null
  return changes.some(({ on, to }) => same(to, symbol) && on > last.on) ? null : last
}

/** All of time, in the symbols that a series had: sorted, without a hole. A chain is followed back as far as it goes. */
export const periodsOf = (changes: ReadonlyArray<SymbolChange>, symbol: string): ReadonlyArray<SymbolPeriod> => {
  const ended = endOf(changes, symbol)
  const periods: Array<SymbolPeriod> = []
  if (ended !== null && ended.reused !== null) {
    // The name is another company's now: what was before belongs to the series of the one that gave it up.
    return [
      { start: -Infinity, end: ended.reused, symbol: null },
      { start: ended.reused, end: Infinity, symbol }
    ]
  }
  let end = ended?.on ?? Infinity
  if (ended !== null) periods.push({ start: end, end: Infinity, symbol: null })
  let name = symbol
  for (;;) {
    const before = end
    const known = name
    const change = changes.filter(({ on, to }) => same(to, known) && on < before).toSorted((a, b) => b.on - a.on)[0]
    periods.unshift({ start: change?.on ?? -Infinity, end: before, symbol: known })
    if (change === undefined) return periods
    name = change.from
    end = change.on
  }
}
