/** The last step of a series that was built again: it takes the place of what is stored, or is compared with it. */
import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import { sameDigest } from "../../domain/SeriesDigest.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { RebuildEvent } from "../../services/RebuildEvent.ts"
import { reached } from "../FaultPoint.ts"
import { seriesDigest } from "../market/seriesDigest.ts"
import type { CacheContext } from "./CacheContext.ts"
import { compareStores } from "./compareStores.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import type { SeriesBuild, Unread } from "./SeriesBuild.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import { applyBefore, settleOperations } from "./settleOperations.ts"
import { whenQuiet } from "./whenQuiet.ts"

/** Null when the series is forgotten, and stays so. */
export const putInPlace = (
  context: CacheContext,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher,
  build: SeriesBuild,
  hold: Effect.Effect<void>
) =>
  whenQuiet(
    desk,
    `the rebuild of ${series.text}`,
    Effect.gen(function* () {
      yield* hold
      if (!(yield* build.advance)) {
        yield* settleOperations(context, series, fetcher, { recall: false })
        return null
      }
      yield* reached("midRebuild")
      yield* Effect.uninterruptible(
        Effect.tap(build.finish, (upTo) =>
          Effect.sync(() => {
            desk.applied = { decoderVersion: fetcher.fetch.decoderVersion, upTo }
            desk.operated = true
            desk.settled.clear()
          })
        )
      )
      const rebuilt: RebuildEvent = { _tag: "Rebuilt", series: series.text, responses: 0, rows: 0 }
      return [rebuilt]
    })
  )

export interface Comparison {
  readonly scratch: MarketStore["Service"]
  /** What could not be read; it proves nothing on either side. */
  readonly unread: ReadonlyMap<ResponseId, Unread>
  readonly limit: number
}

/**
 * What a crash has left undone is done first, as the next plan would: what is archived and was never applied is no difference.
 * Nothing is read again that was applied, whatever the decoder's version was then. Null when there is nothing on either side.
 */
export const compareSeries = (
  context: CacheContext,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher,
  build: SeriesBuild,
  hold: Effect.Effect<void>,
  { limit, scratch, unread }: Comparison
) => {
  const { archive, market } = context
  const compare = Effect.gen(function* () {
    yield* hold
    const forgotten = yield* settleOperations(context, series, fetcher, { recall: false })
    if (yield* build.advance) yield* build.finish
    if (!forgotten) {
      const answers = (yield* archive.answersOf(series.text, 0)).filter((id) => !unread.has(id))
      yield* applyBefore(context, series, fetcher, answers)
    }
    const stored = yield* seriesDigest(market, series.key)
    const rebuilt = yield* seriesDigest(scratch, series.key)
    const same = sameDigest(stored, rebuilt)
    if (same && stored.coverage.count === 0) return null
    const { actions, counts, moved } = same
      ? { moved: [], actions: [], counts: { rows: 0, revisions: 0, coverage: 0, actions: 0 } }
      : yield* compareStores(market, scratch, series.key, series.text, limit)
    const events: ReadonlyArray<RebuildEvent> = [
      ...moved.map((difference): RebuildEvent => ({ _tag: "Difference", moved: difference })),
      {
        _tag: "Compared",
        series: series.text,
        stored,
        rebuilt,
        same,
        moved: counts,
        ...(actions.length === 0 ? {} : { actions })
      }
    ]
    return events
  })
  return Effect.tap(whenQuiet(desk, `the check of ${series.text}`, compare), () => scratch.forget(series.key))
}
