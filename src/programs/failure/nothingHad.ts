import { Effect } from "effect"
import { isComplete } from "../../domain/Coverage.ts"
import { NotEntitled, NotFound, VendorError } from "../../services/Adapter.ts"
import { type RangeAnswer, RangeIncomplete, StitchingCacheError } from "../../services/StitchingCache.ts"

/**
 * An answer without rows of which no part could be had, although the vendor was asked, is a failure and not a part of an
 * answer: the vendor does not know the symbol, does not give it to this account, or could not be reached at all.
 */
export const nothingHad = Effect.fnUntraced(function* (
  answer: Pick<RangeAnswer, "coverage" | "series">
): Effect.fn.Return<void, VendorError | StitchingCacheError> {
  const { coverage, series } = answer
  // That the exchange was closed is known without the vendor.
  if (coverage.some(({ state }) => isComplete(state) && state._tag !== "Closed")) return
  const vendor = series.vendor
  const has = (tag: string) => coverage.some(({ state }) => state._tag === tag)
  if (has("NotFound")) {
    const reason = new NotFound({ message: `it does not know ${series.symbol}, or has nothing of it in this range` })
    return yield* new VendorError({ vendor, reason })
  }
  if (has("NotEntitled")) {
    const reason = new NotEntitled({ message: `the account may not have ${series.symbol}` })
    return yield* new VendorError({ vendor, reason })
  }
  const failed = coverage.some(({ state }) => state._tag === "Missing" && state.cause !== null)
  if (failed || has("Throttled")) {
    const holes = coverage.filter(({ state }) => !isComplete(state))
    return yield* new StitchingCacheError({ reason: new RangeIncomplete({ holes }) })
  }
})
