/** What the store knows of a range, once everything that is archived about the series has been applied. */
import { Clock, Effect } from "effect"
import type { RangePolicy } from "../../domain/Plan.ts"
import { isRecordedBars } from "../../domain/recordedBars.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { SeriesMark } from "../../services/MarketStore.ts"
import { applyArchived } from "./applyArchived.ts"
import type { CacheContext } from "./CacheContext.ts"
import { storedPlan } from "./planOf.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"

/** As the store has it now. */
export const known = Effect.fnUntraced(function* (
  { market }: Pick<CacheContext, "market">,
  series: BarSeries,
  range: TimeRange,
  read: { readonly asOf?: EpochMillis },
  pinned?: SeriesMark
) {
  const now = yield* Clock.currentTimeMillis
  const mark = pinned ?? (yield* market.mark(series.key, read))
  const { generation } = mark ?? {}
  const coverage = generation === undefined ? [] : yield* market.coverage(series.key, range, { ...read, generation })
  return { mark, coverage, plan: storedPlan(series, range, now, coverage) }
})

/** Without a vendor nothing is applied: it is its adapter that reads what was archived. */
export const stored = Effect.fnUntraced(function* (
  context: CacheContext,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher | null,
  range: TimeRange,
  asOf: EpochMillis | undefined
) {
  if (fetcher !== null) {
    yield* desk.planning.withPermit(applyArchived(context, desk, series, fetcher)).pipe(
      // Who may only read is served what there is; who may write applies the rest.
      Effect.catchReason("MarketStoreError", "StoreReadOnly", ({ message }) => Effect.logDebug(message)),
      Effect.catchReason("ProvenanceStoreError", "ArchiveReadOnly", ({ message }) => Effect.logDebug(message))
    )
  }
  return yield* known(context, series, range, asOf === undefined ? {} : { asOf })
})

/** Where nobody can be asked, nobody is. */
export const allowed = Effect.fnUntraced(function* (
  { registry }: Pick<CacheContext, "registry">,
  key: SeriesKey,
  policy: RangePolicy
) {
  if (isRecordedBars(key)) return "cacheOnly"
  const vendor = yield* Effect.orElseSucceed(registry.resolve(key.vendor), () => null)
  return vendor?.storedOnly === true ? "cacheOnly" : policy
})
