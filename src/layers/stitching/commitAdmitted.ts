/**
 * The commits of adjusted series, and invalidations: whether, and into which generation, an answer went depends on what was stored
 * by then, so the archive is told before it goes there. What a failure left recorded and not done is done first, so that
 * operations are done in their order. The caller holds the desk's `committing`.
 */
import { Effect } from "effect"
import type { SeriesChange } from "../../domain/SeriesOperation.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { Commit } from "../../services/MarketStore.ts"
import * as KnownBasis from "./KnownBasis.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import type { Stores } from "./Stores.ts"
import { settleOperations } from "./settleOperations.ts"

interface Target extends Stores {
  readonly desk: SeriesDesk
  readonly series: BarSeries
}

export const recordInvalidation = Effect.fnUntraced(function* (
  { archive, desk, market, series }: Target,
  range: TimeRange
) {
  desk.operated = false
  const { after, id, recordedAt } = yield* archive.recordOperation(series.text, { _tag: "Invalidated", range })
  yield* market.invalidate(series.key, range, recordedAt, { operation: { id, after } })
  desk.operated = true
}, Effect.uninterruptible)

/** `change` is what the archive is told; `stale` are ranges that the answer has shown to be of no use any more. */
export const commitAdmitted = Effect.fnUntraced(function* (
  target: Target & { readonly fetcher: Fetcher },
  commit: Commit,
  change: SeriesChange,
  stale: ReadonlyArray<TimeRange>
) {
  const { archive, desk, fetcher, market, series } = target
  if (!desk.operated) {
    yield* settleOperations(target, series, fetcher, { recall: true })
    desk.operated = true
  }
  desk.operated = false
  const known = yield* KnownBasis.knownBasis(archive, desk, series.text)
  const operation = yield* archive.recordOperation(series.text, change)
  desk.basis = KnownBasis.after(known, operation)
  const result = yield* market.commit({ ...commit, operation: operation.id })
  desk.operated = true
  for (const range of stale) yield* recordInvalidation(target, range)
  return result
}, Effect.uninterruptible)
