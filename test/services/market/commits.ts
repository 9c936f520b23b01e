/** What the suites of the MarketStore contract are written with. */
import { Effect, Stream } from "effect"
import type { Bar } from "../../../src/domain/Bar.ts"
import type { StoredState } from "../../../src/domain/Coverage.ts"
import { ResponseId } from "../../../src/domain/Response.ts"
import type { SeriesKey } from "../../../src/domain/SeriesKey.ts"
import { type Commit, MarketStore, type MarketStoreError } from "../../../src/services/MarketStore.ts"

/** Gives an effect a store of its own. */
export type Provide = <A, E>(effect: Effect.Effect<A, E, MarketStore>) => Effect.Effect<A, E | MarketStoreError>

export const minute = 60_000
export const everything = { start: -8_640_000_000_000_000, end: 8_640_000_000_000_000 }

export const seriesOf = (symbol: string, parts: Partial<SeriesKey> = {}): SeriesKey => ({
  vendor: "model",
  dataset: null,
  symbol,
  kind: "bar",
  timeframe: "1m",
  price: "trade",
  session: "all",
  currency: null,
  adjustment: "raw",
  ...parts
})

export const bar = (ts: number, close: number, parts: Partial<Bar> = {}): Bar => ({
  ts,
  open: close,
  high: close,
  low: close,
  close,
  volume: 1,
  vwap: null,
  count: null,
  ...parts
})

export const covered = (id: number): StoredState => ({ _tag: "Covered", response: ResponseId.make(id) })
export const provisional = (id: number, until = 1): StoredState => ({
  _tag: "Provisional",
  response: ResponseId.make(id),
  until
})
export const empty = (id: number, recheckAfter: number | null = null): StoredState => ({
  _tag: "Empty",
  response: ResponseId.make(id),
  recheckAfter
})

/** Response `id`, fetched at `id * 1000` unless said otherwise, final over `[0, 100)` minutes unless said otherwise. */
export const commitOf = (
  series: SeriesKey,
  id: number,
  bars: ReadonlyArray<Bar>,
  parts: Partial<Omit<Commit, "coverage">> & {
    readonly coverage?: ReadonlyArray<readonly [start: number, end: number, state: StoredState]>
  } = {}
): Commit => {
  const { coverage = [[0, 100 * minute, covered(id)] as const], ...rest } = parts
  return {
    series,
    response: ResponseId.make(id),
    fetchedAt: id * 1000,
    decoderVersion: 1,
    bars,
    positions: bars.map((_, index) => index + 2),
    ...rest,
    coverage: coverage.map(([start, end, state]) => ({ start, end, state }))
  }
}

export const collect = Stream.runCollect

/** Everything that can be read of a series. */
export const dump = Effect.fnUntraced(function* (series: SeriesKey, range = everything) {
  const store = yield* MarketStore
  const bars = yield* collect(store.bars(series, range))
  return {
    bars,
    lineage: yield* Effect.forEach(bars, ({ ts }) => store.barAt(series, ts)),
    revisions: yield* collect(store.revisions(series, range)),
    coverage: yield* store.coverage(series, range)
  }
})

export const reasonOf = <A, R>(effect: Effect.Effect<A, MarketStoreError, R>) =>
  Effect.map(Effect.flip(effect), (error) => error.reason)
