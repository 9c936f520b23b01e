/** What a user decides about a stored series: recorded in the archive first, then done. The caller holds its planning permit. */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { fetcherOf } from "../recording/RecordedBars.ts"
import type { CacheContext } from "./CacheContext.ts"
import { recordInvalidation } from "./commitAdmitted.ts"
import type { BarSeries } from "./project.ts"
import * as SeriesDesk from "./SeriesDesk.ts"
import { settleOperations } from "./settleOperations.ts"

/**
 * Does first what is recorded and not done, so that operations are done in their order. Only then is the vendor needed: what is to
 * be done over has to be read again.
 */
const settled = Effect.fnUntraced(function* (context: CacheContext, desk: SeriesDesk.SeriesDesk, series: BarSeries) {
  if (desk.operated) return
  const { archive, market, registry } = context
  const last = yield* market.lastOperation(series.key)
  if ((yield* archive.operationsOf(series.text, last)).length > 0) {
    const fetcher = yield* fetcherOf(registry, series.key)
    yield* desk.committing.withPermit(settleOperations(context, series, fetcher, { recall: true }))
  }
  desk.operated = true
})

export const invalidate = Effect.fnUntraced(function* (
  context: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  series: BarSeries,
  range: TimeRange
) {
  const { archive, market } = context
  // Of what nobody has answered nothing is known.
  if ((yield* archive.answersOf(series.text, 0)).length === 0) return
  yield* settled(context, desk, series)
  yield* desk.committing.withPermit(recordInvalidation({ archive, market, desk, series }, range))
}, Effect.uninterruptible)

/** What is archived counts as not applied again, also when the caller leaves: or what is forgotten would be fetched anew. */
export const forget = Effect.fnUntraced(function* (
  { archive, market }: CacheContext,
  desk: SeriesDesk.SeriesDesk,
  key: SeriesKey
) {
  SeriesDesk.reset(desk)
  yield* archive.recordOperation(canonical(key), { _tag: "Forgotten" })
  return yield* market.forget(key)
}, Effect.uninterruptible)
