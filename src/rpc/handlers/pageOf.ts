import { Effect, Stream } from "effect"
import type { RangeAnswer } from "../../services/StitchingCache.ts"
import type { BarPage } from "../contract/RangeReport.ts"

/** The first `limit` bars of an answer. One more is read, since it says where the next page starts. */
export const pageOf = Effect.fnUntraced(function* ({ bars, coverage, derived, range }: RangeAnswer, limit: number) {
  const found = yield* Stream.runCollect(Stream.take(bars, limit + 1))
  const next = found[limit]?.ts ?? null
  const end = next ?? range.end
  const page: BarPage = {
    bars: next === null ? found : found.slice(0, limit),
    coverage: coverage.flatMap((known) => (known.start < end ? [known.end <= end ? known : { ...known, end }] : [])),
    next,
    ...(derived === undefined ? {} : { derived })
  }
  return page
})
