/**
 * Which archived segments of a series are not to be stored again, because the series was removed on purpose after they had come.
 *
 * A segment that was imported again since then is in the store, and named there; one of a series that is not there any more is skipped. Of
 * a series that somebody has imported a part of again (`Recalled`) a rebuild stores everything again: it may bring back too much, and loses nothing.
 */
import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"

interface Parts {
  readonly archive: ProvenanceStore["Service"]
  readonly market: MarketStore["Service"]
}

/** The newest response that the archive had when the series was removed last; null where it was not, or, unless `ever`, was recalled since. */
export const removedAfter = Effect.fnUntraced(function* (
  { archive }: Pick<Parts, "archive">,
  series: SeriesKey,
  ever: boolean
) {
  const operations = yield* archive.operationsOf(canonical(series), 0)
  const last = operations.findLast(({ change }) => change._tag === "Forgotten" || (!ever && change._tag === "Recalled"))
  return last?.change._tag === "Forgotten" ? last.after : null
})

/** Asks once of each series what became of it. */
export const makeForgotten = ({ archive, market }: Parts, ever: boolean) => {
  const known = new Map<string, { readonly after: number; readonly applied: ReadonlySet<number> } | null>()
  return Effect.fnUntraced(function* (series: SeriesKey, response: number) {
    const text = canonical(series)
    let found = known.get(text)
    if (found === undefined) {
      const after = yield* removedAfter({ archive }, series, ever)
      found = after === null ? null : { after, applied: yield* market.applied(series, 0) }
      known.set(text, found)
    }
    return found !== null && response <= found.after && !found.applied.has(response)
  })
}
