import { Effect, Stream } from "effect"
import type { OnMissing } from "../../domain/Plan.ts"
import type { RecordOf } from "../../domain/records/RecordKind.ts"
import { isTickSeries, type Tick, type TickKind } from "../../domain/records/TickSeries.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import {
  noTicks,
  type RangeAnswer,
  type RangeQuery,
  StitchingCache,
  StitchingCacheError,
  type TickAnswer
} from "../../services/StitchingCache.ts"
import { pageRows } from "../contract/RangeReport.ts"
import { SeriesRpcs } from "../contract/SeriesRpcs.ts"
import { counted } from "./CallTally.ts"
import { chunked } from "./chunked.ts"
import { largeAnswer } from "./LargeAnswer.ts"
import { pageOf } from "./pageOf.ts"
import { readEvents, reportOf } from "./readEvents.ts"
import { reading } from "./reading.ts"

/** A page of so many bars waits for no other: all that a connection may have open are less than one large answer. */
const fewRows = 100

const make = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const market = yield* MarketStore

  const ticks = <K extends TickKind>(
    kind: K,
    { asOf, onMissing, ...query }: RangeQuery & { readonly onMissing?: OnMissing; readonly asOf?: EpochMillis }
  ): Stream.Stream<RecordOf<K>, StitchingCacheError> =>
    counted(
      Stream.unwrap(
        Effect.map(
          query.series.kind === kind
            ? cache.ticks(query, reading({ onMissing, asOf }))
            : Effect.fail(new StitchingCacheError({ reason: noTicks(query.series) })),
          // Rows of a series are of its kind.
          ({ rows }) =>
            rows as Stream.Stream<Tick, StitchingCacheError> as Stream.Stream<RecordOf<K>, StitchingCacheError>
        )
      )
    )

  return SeriesRpcs.of({
    "Series.resolve": ({ query, vendor }) => cache.resolve(vendor, query),

    "Series.plan": (query) => Effect.andThen(largeAnswer, cache.plan(query)),

    "Series.read": ({ asOf, cuts, derived, generation, onMissing, ...query }) =>
      readEvents(
        (progress): Effect.Effect<RangeAnswer | TickAnswer, StitchingCacheError> =>
          isTickSeries(query.series)
            ? cache.ticks(query, { ...reading({ onMissing, asOf }), progress })
            : cache.read(query, { ...reading({ onMissing, asOf, generation, cuts, derived }), progress })
      ),

    "Series.execute": ({ derived, onMissing, plan }) =>
      readEvents((progress) => cache.execute(plan, { ...reading({ onMissing, derived }), progress })),

    "Series.trades": (query) => ticks("trade", query),

    "Series.quotes": (query) => ticks("quote", query),

    // In the chunks that the store reads, of which the first is small: a stream that nobody reads holds one of them.
    "Series.bars": ({ asOf, cuts, derived, generation, onMissing, ...query }) =>
      counted(
        Stream.unwrap(
          Effect.map(cache.read(query, reading({ onMissing, asOf, generation, cuts, derived })), ({ bars }) => bars)
        )
      ),

    "Series.page": ({ asOf, derived, limit = pageRows, onMissing, ...query }) =>
      Effect.flatMap(cache.read(query, reading({ onMissing, asOf, derived })), (answer) =>
        Math.min(answer.rowCount, limit) > fewRows
          ? Effect.andThen(largeAnswer, pageOf(answer, limit))
          : pageOf(answer, limit)
      ),

    "Series.coverage": ({ range, series, ...options }) => counted(chunked(cache.coverage(series, range, options))),

    "Series.actions": ({ range, series, ...options }) =>
      Effect.andThen(largeAnswer, cache.actions(series, range, options)),

    "Series.diff": ({ between, range, series }) => counted(cache.diff(series, range, between)),

    "Series.explain": ({ series, ts, ...options }) => cache.explain(series, ts, options),

    "Series.invalidate": ({ range, series }) => cache.invalidate(series, range),

    "Series.refetch": ({ series }) => Effect.map(cache.refetch(series), reportOf),

    "Series.forget": ({ series }) => cache.forget(series),

    "Series.rebuild": (options) => cache.rebuild(options),

    "Series.revisions": ({ range, series }) => counted(market.revisions(series, range)),

    "Series.list": () => counted(chunked(market.series)),

    "Series.latest": (options) => Effect.andThen(largeAnswer, market.latest(options))
  })
})

export const layer = SeriesRpcs.toLayer(make)
