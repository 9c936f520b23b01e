/**
 * Claim: a Yahoo chart becomes bars at 2,000,000 a second, and at no less than a quarter of the speed at which JSON.parse alone
 * goes over the body, which makes no bars of it.
 *
 * Run: `npm run bench -- yahoo-decode`. Baseline: JSON.parse of the same bytes (as text already), in the same run. Two bodies:
 * eight days of minute bars, which is the longest that is answered, and half a year of them. Medians of eleven.
 */
import { Effect } from "effect"
import type { ChartParams } from "../src/layers/adapters/yahoo/ChartRequest.ts"
import { decodeChart } from "../src/layers/adapters/yahoo/decodeChart.ts"

const runs = 11
const target = 2_000_000
const minute = 60_000
const day = 86_400_000
const open = Date.UTC(2024, 5, 3, 13, 30)
const perDay = 390

/** Prices in cents as 32-bit floats, widened to 64 bits, as Yahoo writes them. */
const bodyOf = (rows: number): string => {
  let state = 7
  const draw = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * most)
  }
  const timestamp: Array<number> = []
  const columns: Record<string, Array<number>> = { low: [], close: [], volume: [], open: [], high: [] }
  const add = (name: string, value: number) => columns[name]?.push(value)
  let cents = 21_000
  for (let row = 0; row < rows; row++) {
    timestamp.push((open + Math.floor(row / perDay) * day + (row % perDay) * minute) / 1000)
    const first = cents
    cents = Math.max(5_000, cents + draw(41) - 20)
    add("open", Math.fround(first / 100))
    add("close", Math.fround(cents / 100))
    add("high", Math.fround((Math.max(first, cents) + draw(9)) / 100))
    add("low", Math.fround((Math.min(first, cents) - draw(9)) / 100))
    add("volume", draw(900_000))
  }
  const period = { timezone: "EDT", start: open / 1000, end: open / 1000 + 23_400, gmtoffset: -14_400 }
  const meta = {
    currency: "USD",
    symbol: "AAPL",
    hasPrePostMarketData: true,
    instrumentType: "EQUITY",
    exchangeTimezoneName: "America/New_York",
    regularMarketTime: Date.UTC(2026, 0, 2) / 1000,
    dataGranularity: "1m",
    currentTradingPeriod: { pre: period, regular: period, post: period },
    tradingPeriods: Array.from({ length: Math.ceil(rows / perDay) }, (_, index) => [
      { ...period, start: period.start + (index * day) / 1000, end: period.end + (index * day) / 1000 }
    ])
  }
  return JSON.stringify({ chart: { result: [{ meta, timestamp, indicators: { quote: [columns] } }], error: null } })
}

const params: ChartParams = {
  symbol: "AAPL",
  timeframe: "1m",
  adjustment: "splits",
  session: "regular",
  currency: null,
  start: "",
  end: "",
  query: { interval: "1m", period1: 0, period2: 0, includePrePost: false, events: "" }
}
const range = { start: 0, end: Date.UTC(2100, 0, 1) }

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Milliseconds of one run; short ones are repeated until they can be measured. */
const timed = async (repeat: number, work: () => unknown): Promise<number> => {
  const begun = performance.now()
  for (let i = 0; i < repeat; i++) await work()
  return (performance.now() - begun) / repeat
}

for (const rows of [8 * perDay, 126 * perDay]) {
  const text = bodyOf(rows)
  const bytes = new TextEncoder().encode(text)
  const repeat = Math.ceil(100_000 / rows)
  let decoded = 0
  const decode = () =>
    Effect.runPromise(
      Effect.match(decodeChart(bytes, params, range), {
        onSuccess: ({ bars }) => {
          decoded = bars.length
        },
        onFailure: ({ message }) => {
          throw new Error(message)
        }
      })
    )
  const parse = () => JSON.parse(text)
  const ours: Array<number> = []
  const baseline: Array<number> = []
  for (let run = 0; run < runs; run++) {
    ours.push(await timed(repeat, decode))
    baseline.push(await timed(repeat, parse))
  }
  if (decoded !== rows) throw new Error(`${decoded} of ${rows} rows`)
  const [mine, theirs] = [median(ours), median(baseline)]
  const rate = rows / (mine / 1000)
  if (rate < target) process.exitCode = 1
  console.log(`${rows.toLocaleString("en")} bars, ${(bytes.length / 1e6).toFixed(2)} MB (median of ${runs})`)
  console.log(`  baseline, JSON.parse  ${theirs.toFixed(2).padStart(8)} ms`)
  console.log(
    `  chart to bars         ${mine.toFixed(2).padStart(8)} ms   ${(rate / 1e6).toFixed(2)} M bars/s; target ${target / 1e6} M ${rate >= target ? "reached" : "MISSED"}`
  )
  const ratio = theirs / mine
  if (ratio < 0.25) process.exitCode = 1
  console.log(
    `  speed against baseline${ratio.toFixed(2).padStart(8)} x    target 0.25 x ${ratio >= 0.25 ? "reached" : "MISSED"}`
  )
}
