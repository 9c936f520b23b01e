/** What a soak run does, all of it from a seed: what is traded, what goes wrong in which round, what is asked for. */
import { calendarOf } from "../../src/domain/calendar/calendarOf.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import type { Timeframe } from "../../src/domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../src/domain/TimeRange.ts"
import * as ZoneClock from "../../src/domain/ZoneClock.ts"
import { builtIn } from "../../src/layers/calendar/builtIn.ts"
import { chance } from "../../src/layers/testing/ModelMarket.ts"
import { noFaults, share, type YahooFaults, type YahooInstrument } from "../../src/layers/testing/yahoo/YahooServer.ts"

export const day = 86_400_000

/** Each round, which ends with a kill, is a day later than the one before: bars become final, splits come overnight. */
export const firstDay: EpochMillis = Date.UTC(2024, 4, 6, 17, 30)

export const symbolOf = (index: number): string => `S${String(index).padStart(3, "0")}`

/** The date of the first session on or after a date. */
const sessionOf = (name: string, date: EpochMillis): EpochMillis | null => {
  const rules = builtIn.find((one) => one.name === name)
  const clock = rules === undefined ? null : ZoneClock.make(rules.zone)
  if (rules === undefined || clock === null) return null
  return calendarOf(rules, clock).sessions({ start: date, end: date + 10 * day })[0]?.date ?? null
}

/** Shares in New York and London; three in ten split in one of the days to come, three in ten pay a dividend in them. */
export const instrumentsOf = (seed: number, symbols: number, days: number): ReadonlyArray<YahooInstrument> =>
  Array.from({ length: symbols }, (_, index) => {
    const symbol = symbolOf(index)
    const draw = (what: string) => chance(seed, "instrument", symbol, what)
    const calendar = draw("exchange") < 0.8 ? "XNYS" : "XLON"
    // Nothing is split or paid on a day without a session.
    const date = (what: string) => {
      const start = Math.floor(firstDay / day) * day + (1 + Math.floor(draw(what) * Math.max(1, days))) * day
      return sessionOf(calendar, start) ?? start
    }
    return share(symbol, {
      calendar,
      ...(draw("exchange") < 0.8 ? {} : { before: 0, after: 0 }),
      listedAt: Date.UTC(2018, Math.floor(draw("listed") * 12), 1),
      splits:
        draw("split") < 0.3
          ? [{ date: date("split date"), numerator: draw("ratio") < 0.5 ? 4 : 2, denominator: 1 }]
          : [],
      dividends: draw("dividend") < 0.3 ? [{ date: date("dividend date"), cents: 25 }] : []
    })
  })

/** What the server does wrong in a round. */
export const faultsOf = (seed: number, round: number): YahooFaults => {
  const draw = (what: string) => chance(seed, "faults", round, what)
  return {
    ...noFaults,
    throttled: draw("throttled") * 0.06,
    unavailable: draw("unavailable") * 0.06,
    dropped: draw("dropped") * 0.06,
    truncated: draw("truncated") * 0.06,
    stalled: draw("stalled") * 0.01,
    retryAfter: draw("retry after") < 0.5 ? "1" : null,
    delay: [0, Math.floor(draw("delay") * 120)],
    nullRows: draw("nulls") < 0.5,
    duplicateRows: draw("duplicates") < 0.5,
    rowsAtEnd: draw("at end") < 0.5,
    leak: draw("leak") < 0.5,
    earlyStamps: draw("stamps") < 0.5,
    separateLive: draw("live") < 0.5,
    strangeKeys: draw("keys") < 0.5
  }
}

/** How far back each timeframe is asked for, in days. */
const reach: ReadonlyArray<readonly [Timeframe, number]> = [
  ["1d", 1_500],
  ["1h", 120],
  ["5m", 25],
  ["1m", 6]
]

export interface Question {
  readonly series: SeriesKey
  readonly range: TimeRange
  readonly policy: "cacheFirst" | "refresh"
}

export const seriesOf = (symbol: string, timeframe: Timeframe, adjustment: SeriesKey["adjustment"]): SeriesKey => ({
  vendor: "yahoo",
  dataset: null,
  symbol,
  kind: "bar",
  timeframe,
  price: "trade",
  session: "regular",
  currency: null,
  adjustment
})

/** Every series that is ever asked for, and from when on. */
export const allSeries = (symbols: number) =>
  Array.from({ length: symbols }, (_, index) => symbolOf(index)).flatMap((symbol) =>
    reach.flatMap(([timeframe, days]) =>
      (timeframe === "1d" ? (["splits", "raw", "all"] as const) : (["splits"] as const)).map((adjustment) => ({
        series: seriesOf(symbol, timeframe, adjustment),
        days
      }))
    )
  )

/** The `index`th question of a round, asked at `now`. Some ranges reach into the future. */
export const questionOf = (seed: number, round: number, index: number, symbols: number, now: EpochMillis): Question => {
  const draw = (what: string) => chance(seed, "question", round, index, what)
  const symbol = symbolOf(Math.floor(draw("symbol") * symbols))
  const [timeframe, days] = reach[Math.floor(draw("timeframe") * reach.length)] ?? ["1d", 1_500]
  const which = draw("adjustment")
  const adjustment = timeframe !== "1d" || which < 0.5 ? "splits" : which < 0.75 ? "raw" : "all"
  const start = now - Math.floor(draw("start") * days * day)
  const end = draw("end") < 0.3 ? now + day : start + Math.max(60_000, Math.floor(draw("length") * (now - start)))
  return {
    series: seriesOf(symbol, timeframe, adjustment),
    range: { start, end: Math.max(end, start + 60_000) },
    policy: draw("policy") < 0.1 ? "refresh" : "cacheFirst"
  }
}
