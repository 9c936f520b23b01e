import { Effect } from "effect"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { BatchProcessor } from "../../services/BatchProcessor.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"

interface Parts {
  readonly archive: ProvenanceStore["Service"]
  readonly market: MarketStore["Service"]
  readonly batches: BatchProcessor["Service"]
}

/** Has stored what the archive has about a recorded series and the store has not. */
export const makeCatchUp = ({ archive, batches, market }: Parts) => {
  const upTo = new Map<string, number>()
  return Effect.fn("Recorder.catchUp")(function* (series: SeriesKey) {
    const text = canonical(series)
    const known = upTo.get(text)
    const answers = yield* archive.answersOf(text, known ?? 0)
    // The first time most of it is there.
    const applied = known === undefined && answers.length > 0 ? yield* market.applied(series, 0) : new Set<number>()
    for (const response of answers) {
      if (!applied.has(response)) yield* batches.project(series, response)
      upTo.set(text, response)
    }
  })
}
