/**
 * Refetches an adjusted series whole when an answer has shown that its vendor's history has moved: once, whoever found it.
 *
 * Queueing: those who find it wait for the desk's `refetching`; whoever gets it and sees another generation than the one that
 * it was compared with has nothing to do.
 *
 * Hard cases: a refetch that fails (quota, vendor) leaves the old generation to readers, and its failure to those whose new
 * rows wait for it. The next read tries again: what had been fetched since the move is in the archive and is not asked for
 * again. A vendor whose answers move with every call would have its whole history fetched with every read, so a series is
 * refetched a few times in a while and then not; one that said when to come back is not asked before.
 */
import { Clock, Effect } from "effect"
import { Malformed, Rejected, VendorError } from "../../services/Adapter.ts"
import { MarketStoreError, StoreFull } from "../../services/MarketStore.ts"
import type { Rebase } from "./admit.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { Failure } from "./failure.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { refetch } from "./refetch.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"

/** Begun refetches of one series, and the time in which that many may begin. */
const maxBegun = 4
const within = 600_000

const tooOften = (vendor: string) =>
  new VendorError({
    vendor,
    reason: new Malformed({
      position: null,
      message: `its adjusted history has moved ${maxBegun} times in ${within / 60_000} minutes; nothing more is stored of it for a while`
    })
  })

const tooMuch = (vendor: string, limit: number): Failure =>
  new VendorError({
    vendor,
    reason: new Rejected({ message: `fetching its adjusted history again takes more than ${limit} requests` })
  })

const begin = (desk: SeriesDesk, vendor: string, now: number): Failure | null => {
  const { rebasing } = desk
  if (rebasing.failure !== null && now < rebasing.notBefore) return rebasing.failure
  rebasing.begun = rebasing.begun.filter((at) => now - at < within)
  if (rebasing.begun.length >= maxBegun) return rebasing.failure ?? tooOften(vendor)
  rebasing.begun.push(now)
  return null
}

const failed = (desk: SeriesDesk, failure: Failure, now: number): void => {
  const { reason } = failure
  desk.rebasing.failure = failure
  desk.rebasing.notBefore = "retryAfter" in reason ? now + reason.retryAfter : now
}

export const rebaseOf =
  (context: CacheContext, desk: SeriesDesk, fetcher: Fetcher, series: BarSeries): Rebase =>
  (since, seen) =>
    desk.refetching.withPermit(
      Effect.gen(function* () {
        if ((yield* context.market.visibleGeneration(series.key)) !== seen) return 0
        const refused = begin(desk, fetcher.name, yield* Clock.currentTimeMillis)
        if (refused !== null) return yield* Effect.fail(refused)
        yield* Effect.logInfo(`the adjusted history of ${series.text} has moved; it is fetched again`)
        const gathered = yield* refetch(context, desk, fetcher, series, since).pipe(
          Effect.catchTags({
            TooManyRequests: ({ limit }) => Effect.fail<Failure>(tooMuch(fetcher.name, limit)),
            DiskTooFull: ({ message }) =>
              Effect.fail<Failure>(new MarketStoreError({ reason: new StoreFull({ message }) }))
          }),
          Effect.tapError((failure) => Effect.map(Clock.currentTimeMillis, (now) => failed(desk, failure, now))),
          Effect.onInterrupt(() => Effect.sync(() => desk.rebasing.begun.pop()))
        )
        desk.rebasing.failure = null
        return gathered?.requests ?? 0
      })
    )
