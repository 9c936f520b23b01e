import { Effect, Stream } from "effect"
import { MarketStore } from "../../services/MarketStore.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
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

  return SeriesRpcs.of({
    "Series.resolve": ({ query, vendor }) => cache.resolve(vendor, query),

    "Series.plan": (query) => Effect.andThen(largeAnswer, cache.plan(query)),

    "Series.read": ({ asOf, cuts, derived, generation, onMissing, ...query }) =>
      readEvents((progress) =>
        cache.read(query, { ...reading({ onMissing, asOf, generation, cuts, derived }), progress })
      ),

    "Series.execute": ({ derived, onMissing, plan }) =>
      readEvents((progress) => cache.execute(plan, { ...reading({ onMissing, derived }), progress })),

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
