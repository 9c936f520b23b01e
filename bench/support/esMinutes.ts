/** Minutes of a future, as many as a benchmark wants: what is stored and what it is compared with are the same rows. */
import type { Bar } from "../../src/domain/Bar.ts"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"

export const minute = 60_000
export const start = Date.UTC(2020, 0, 1)

export const series: SeriesKey = {
  vendor: "bench",
  dataset: null,
  symbol: "ES",
  kind: "bar",
  timeframe: "1m",
  price: "trade",
  session: "all",
  currency: "USD",
  adjustment: "raw"
}

/** From `start` on; `correction` is added to the close. */
export const barsOf = (rows: number, correction: (index: number) => number = () => 0): ReadonlyArray<Bar> =>
  Array.from({ length: rows }, (_, index) => {
    const open = 4_000 + ((index * 7) % 997) / 4
    return {
      ts: start + index * minute,
      open,
      high: open + 2.25,
      low: open - 1.75,
      close: open + 0.5 + correction(index),
      volume: 100 + (index % 977),
      vwap: null,
      count: null
    }
  })
