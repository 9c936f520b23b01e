/**
 * What was believed is compared before it is served together with anything else: one stored bar is asked for, once for all
 * that came before it.
 *
 * Queueing: one at a time for each series; who waits finds it done. Hard cases: a vendor who cannot be asked, or who does not have the
 * symbol any more, leaves the belief as it is, which its limits allow, and the log says so. A failure of this machine (archive, store,
 * quota) is none of the vendor's: the read fails. A vendor who has moved has the series refetched whole; when that fails, the read
 * fails, since what it would serve is known to be of two bases.
 */
import { Clock, Effect } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { askBar, type Rebase } from "./admit.ts"
import { sameBasis } from "./basis.ts"
import type { CacheContext } from "./CacheContext.ts"
import { isOurs } from "./failure.ts"
import * as KnownBasis from "./KnownBasis.ts"
import { askableBar, reachOf } from "./overlap.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import { beside } from "./weigh.ts"

/** Whether rows of a range came together by more than one answer, of which one is only believed. */
const isMixed = Effect.fnUntraced(function* (
  { market }: CacheContext,
  series: BarSeries,
  range: TimeRange,
  { believed }: KnownBasis.KnownBasis
) {
  const within = believed.filter(({ range: { end, start } }) => start < range.end && range.start < end)
  if (within.length !== 1) return within.length > 1
  const had = (yield* market.coverage(series.key, range)).filter(
    ({ state }) => state._tag === "Covered" || state._tag === "Provisional"
  )
  return Intervals.subtract(Intervals.mergeNear(had, 0), KnownBasis.believedIn({ believed: within })).length > 0
})

/** Gives what was asked of the vendor for it. */
export const confirm = (
  context: CacheContext,
  desk: SeriesDesk,
  fetcher: Fetcher,
  series: BarSeries,
  range: TimeRange,
  rebase: Rebase
) => {
  const { archive, ingest, market } = context
  const ask = (bar: TimeRange) =>
    Effect.scoped(
      Effect.gen(function* () {
        const session = yield* ingest.open({ source: fetcher.name, mode: "sync" })
        return yield* askBar({ fetcher, series, session }, bar)
      })
    )
  const known = desk.committing.withPermit(KnownBasis.knownBasis(archive, desk, series.text))
  return desk.confirming.withPermit(
    Effect.gen(function* () {
      const basis = yield* known
      if (basis.believed.length === 0 || !(yield* isMixed(context, series, range, basis))) return 0
      const seen = yield* market.visibleGeneration(series.key)
      const reach = reachOf(fetcher, series, yield* Clock.currentTimeMillis)
      const believed = KnownBasis.believedIn(basis)
      const anchor = (yield* beside({ market, series: series.key, believed }, reach)).after
      const bar = anchor === null ? null : askableBar(fetcher, series, [anchor.ts])
      if (anchor === null || bar === null) return 0
      const asked = yield* Effect.catchIf(
        ask(bar),
        (failure) => !isOurs(failure),
        ({ message }) =>
          Effect.as(
            Effect.logWarning(`${series.text} has bars that could not be compared with the others yet: ${message}`),
            null
          )
      )
      if (asked === null) return 0
      const again = asked.bars.find(({ ts }) => ts === anchor.ts)
      if (again === undefined || !sameBasis(again, anchor)) return 1 + (yield* rebase(asked.askedAt, seen))
      yield* desk.committing.withPermit(
        Effect.gen(function* () {
          if ((yield* market.visibleGeneration(series.key)) !== seen) return
          const before = yield* KnownBasis.knownBasis(archive, desk, series.text)
          const operation = yield* archive.recordOperation(series.text, { _tag: "Confirmed", at: asked.askedAt })
          desk.basis = KnownBasis.after(before, operation)
        }).pipe(Effect.uninterruptible)
      )
      return 1
    })
  )
}
