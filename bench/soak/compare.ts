/** Holds an answer against the market that it is of. */
import { type Bar, sameValues } from "../../src/domain/Bar.ts"
import type { CoverageInterval } from "../../src/domain/Coverage.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import { type EpochMillis, iso } from "../../src/domain/TimeRange.ts"
import { expectedBars } from "../../src/layers/testing/yahoo/expectedBars.ts"
import type { YahooInstrument } from "../../src/layers/testing/yahoo/YahooInstrument.ts"
import { YahooMarket } from "../../src/layers/testing/yahoo/YahooMarket.ts"

export type Markets = ReadonlyMap<string, YahooMarket>

export const marketsOf = (instruments: ReadonlyArray<YahooInstrument>, seed: number): Markets =>
  new Map(instruments.map((one) => [one.symbol, new YahooMarket(one, seed, 0.02)]))

/** The last instant before a date of the exchange begins. */
const before = (market: YahooMarket, date: EpochMillis): EpochMillis => {
  let instant = date + 12 * 3_600_000 - 1
  while (market.dateOf(instant) >= date) instant -= 900_000
  return instant
}

/** The instants from which on history reads differently, and now, newest first. */
const bases = (market: YahooMarket, { adjustment }: SeriesKey, now: EpochMillis): ReadonlyArray<EpochMillis> => {
  const { instrument } = market
  const events = [
    ...(adjustment === "raw" ? [] : instrument.splits.map(({ date }) => date)),
    ...(adjustment === "all" ? instrument.dividends.map(({ date }) => date) : [])
  ]
  const passed = events.filter((date) => date <= market.dateOf(now)).map((date) => before(market, date))
  return [now, ...passed.toSorted((a, b) => b - a)]
}

const differenceOf = (had: ReadonlyArray<Bar>, wanted: ReadonlyArray<Bar>): string | null => {
  for (let index = 0; index < Math.max(had.length, wanted.length); index++) {
    const a = had[index]
    const b = wanted[index]
    if (a === undefined) return `no bar at ${iso(b?.ts ?? 0)}`
    if (b === undefined || a.ts < b.ts) return `a bar too many at ${iso(a.ts)}`
    if (a.ts > b.ts) return `no bar at ${iso(b.ts)}`
    if (!sameValues(a, b)) return `${JSON.stringify(a)} instead of ${JSON.stringify(b)}`
  }
  return null
}

export interface Verdict {
  /** Bars in final parts of the answer. */
  readonly compared: number
  /** Null: equal. */
  readonly problem: string | null
}

/**
 * The final parts of an answer are one market as it was seen at one time: now, or, of an adjusted series that nobody has asked for
 * since, before the last split or dividend. `newest`: it must be that of now.
 */
export const verdictOf = (
  markets: Markets,
  series: SeriesKey,
  coverage: ReadonlyArray<CoverageInterval>,
  bars: ReadonlyArray<Bar>,
  now: EpochMillis,
  newest: boolean
): Verdict => {
  const market = markets.get(series.symbol)
  if (market === undefined) return { compared: 0, problem: `no market of ${series.symbol}` }
  const final = coverage.filter(
    ({ state }) => state._tag === "Covered" || state._tag === "Empty" || state._tag === "Closed"
  )
  const inside = (start: number, end: number) => bars.filter(({ ts }) => ts >= start && ts < end)
  let compared = 0
  const problems: Array<string> = []
  for (const at of newest ? [now] : bases(market, series, now)) {
    compared = 0
    let problem: string | null = null
    for (const { end, start, state } of final) {
      const had = inside(start, end)
      // As of an earlier basis there is nothing after it, so a part that reaches beyond cannot be of it.
      const wanted = expectedBars(market, series, { start, end }, at)
      compared += had.length
      const difference = differenceOf(had, wanted)
      if (difference === null) continue
      problem = `${state._tag} from ${iso(start)} to ${iso(end)}: ${difference}`
      break
    }
    if (problem === null) return { compared, problem }
    problems.push(`not as of ${iso(at)}, ${problem}`)
  }
  return { compared, problem: problems.join("; ") }
}
