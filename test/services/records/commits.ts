/** What the suites of the RecordStore contract are written with. */
import type { Effect } from "effect"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { News } from "../../../src/domain/records/News.ts"
import type { RecordByKind, RecordKind, RecordOf, RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import type { Signal } from "../../../src/domain/records/Signal.ts"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import type { MarketStore, MarketStoreError } from "../../../src/services/MarketStore.ts"
import type { RecordCommit, RecordStore } from "../../../src/services/RecordStore.ts"
import { seriesOf } from "../market/commits.ts"

/** Gives an effect a store of its own. */
export type ProvideRecords = <A, E>(
  effect: Effect.Effect<A, E, RecordStore | MarketStore>
) => Effect.Effect<A, E | MarketStoreError>

export const recordSeries = <K extends RecordKind>(kind: K, symbol = "SPY"): RecordSeries<K> => ({
  ...seriesOf(symbol, { timeframe: null, price: "none" }),
  kind
})

export const trade = (tsNs: bigint, price: number, parts: Partial<Trade> = {}): Trade => ({
  tsNs,
  price,
  size: 100,
  venue: "XNAS",
  sequence: null,
  side: null,
  conditions: null,
  ...parts
})

export const signal = (ts: number, name: string, value: number, parts: Partial<Signal> = {}): Signal => ({
  ts,
  name,
  value,
  score: null,
  metadata: null,
  ...parts
})

export const news = (ts: number, title: string, parts: Partial<News> = {}): News => ({
  ts,
  id: null,
  title,
  url: null,
  sentiment: null,
  ...parts
})

/** Response `id`, fetched at `id * 1000` unless said otherwise; it proves nothing unless coverage is given. */
export const recordsOf = <K extends RecordKind>(
  series: RecordSeries<K>,
  id: number,
  rows: ReadonlyArray<RecordOf<K>>,
  parts: Partial<Omit<RecordCommit<K>, "coverage">> & {
    readonly covers?: ReadonlyArray<readonly [start: number, end: number]>
  } = {}
): RecordCommit<K> => {
  const { covers = [], ...rest } = parts
  const response = ResponseId.make(id)
  return {
    series,
    response,
    fetchedAt: id * 1_000,
    decoderVersion: 1,
    rows,
    positions: rows.map((_, index) => index + 2),
    ...rest,
    coverage: covers.map(([start, end]) => ({ start, end, state: { _tag: "Covered", response } }))
  }
}

/** One row of each kind, everything filled and then everything optional null. */
export const samples: { readonly [K in RecordKind]: readonly [RecordByKind[K], RecordByKind[K]] } = {
  trade: [
    {
      tsNs: 1_700_000_000_123_456_789n,
      price: -37.63,
      size: 0.5,
      venue: "XNYS",
      sequence: 9_007_199_254_740_991,
      side: "sell",
      conditions: "@ TI"
    },
    {
      tsNs: 1_700_000_000_123_456_790n,
      price: 5000.25,
      size: null,
      venue: null,
      sequence: null,
      side: null,
      conditions: null
    }
  ],
  quote: [
    {
      tsNs: 1n,
      bid: 1.1,
      bidSize: 3,
      ask: 1.2,
      askSize: 4,
      venue: "X",
      sequence: 7,
      conditions: "R"
    },
    { tsNs: -1n, bid: null, bidSize: null, ask: null, askSize: null, venue: null, sequence: null, conditions: null }
  ],
  statistic: [
    { tsNs: 5n, type: "settlement", price: 70.5, quantity: 1, session: "2026-06-19", venue: "XCME", sequence: 3 },
    { tsNs: 5n, type: "open interest", price: null, quantity: 12, session: null, venue: null, sequence: null }
  ],
  fundamental: [
    {
      ts: 1_700_000_000_000,
      period: "quarter",
      totalAssets: 1e15,
      totalLiabilities: 2.5,
      netIncome: -3,
      eps: 0.01,
      other: { b: [1, null, "x"], a: { ключ: "значение" } }
    },
    {
      ts: 1_700_000_000_001,
      period: null,
      totalAssets: null,
      totalLiabilities: null,
      netIncome: null,
      eps: null,
      other: null
    }
  ],
  news: [
    { ts: 10, id: "n-1", title: 'He said "no"\\\n\tand left 🚀', url: "https://example.org/?a=1&b=2", sentiment: -1 },
    { ts: 10, id: null, title: "t", url: null, sentiment: null }
  ],
  option: [
    {
      ts: 10,
      expiry: "2026-06-19",
      right: "C",
      strike: 512.5,
      bid: 1,
      ask: 2,
      last: 1.5,
      iv: 0.25,
      delta: 0.5,
      gamma: 0.01,
      theta: -0.02,
      vega: 0.1,
      openInterest: 100,
      volume: 5,
      spot: 510.25
    },
    {
      ts: 10,
      expiry: "2026-06-19",
      right: "P",
      strike: 512.5,
      bid: null,
      ask: null,
      last: null,
      iv: null,
      delta: null,
      gamma: null,
      theta: null,
      vega: null,
      openInterest: null,
      volume: null,
      spot: null
    }
  ],
  signal: [
    { ts: 10, name: "momentum", value: 1.5, score: 0.9, metadata: { model: "m1", window: [5, 20] } },
    { ts: 10, name: "carry", value: -1, score: null, metadata: null }
  ]
}
