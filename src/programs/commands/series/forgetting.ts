import { Effect } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { StitchingCache, type StitchingCacheError } from "../../../services/StitchingCache.ts"

const wasCutOff = ({ reason }: StitchingCacheError) => reason._tag === "CacheUnavailable" && reason.again

/**
 * Forgets a series as often as it is asked to until there is an answer, which is the rows that were removed. After an answer that
 * was lost it may find nothing to remove any more: then what was asked for is done, and nobody knows how many rows it had (null).
 */
export const forgetting = () => {
  let cutOff = false
  return Effect.fnUntraced(function* (key: SeriesKey) {
    const cache = yield* StitchingCache
    const repeated = cutOff
    return yield* cache.forget(key).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          cutOff ||= wasCutOff(error)
        })
      ),
      Effect.catchIf(
        ({ reason }) => repeated && reason._tag === "UnknownSeries",
        () => Effect.succeed(null)
      )
    )
  })
}
