/**
 * Brings the store to where the archive says that a series is: does what was recorded and not done, because the process died in
 * between or the store was lost.
 *
 * An answer belongs to the generation that was visible when it was archived. So the answers that came before an operation are
 * applied before it; those that came after it are the plan's own to apply (applyArchived).
 */
import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { SeriesOperation } from "../../domain/SeriesOperation.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import { isAdjusted } from "./basis.ts"
import { checkTag } from "./checkTag.ts"
import { passOver } from "./passOver.ts"
import { type BarSeries, type Fetcher, project, readAnswer } from "./project.ts"
import { refetchTag } from "./refetchTag.ts"
import type { Stores } from "./Stores.ts"

/** Whether the last word about a series is that it was forgotten. */
export const forgottenBy = (operations: ReadonlyArray<SeriesOperation>): SeriesOperation | null => {
  const last = operations.findLast(({ change }) => change._tag === "Forgotten" || change._tag === "Recalled")
  return last?.change._tag === "Forgotten" ? last : null
}

/** Applies those of these answers that no version of the decoder has been applied of. */
export const applyBefore = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  answers: ReadonlyArray<ResponseId>
) {
  // Of an adjusted series those belong to it that were admitted.
  if (isAdjusted(series.key)) return
  const applied = yield* market.applied(series.key, Number.MIN_SAFE_INTEGER)
  for (const id of answers) {
    if (applied.has(id)) continue
    yield* Effect.gen(function* () {
      const answer = yield* archivedAnswer(archive, id)
      if (answer === null || answer.request.cacheTag === refetchTag || answer.request.cacheTag === checkTag) return
      yield* project(market, fetcher, series, answer)
    }).pipe(passOver(series, id))
  }
})

/** It was found to fit by then; what is stored now says nothing of that. */
const admitAgain = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  response: ResponseId,
  operation: number
) {
  yield* Effect.gen(function* () {
    const answer = yield* archivedAnswer(archive, response)
    if (answer === null) return
    const { commit } = yield* readAnswer(fetcher, series, answer)
    yield* market.commit({ ...commit, operation })
  }).pipe(passOver(series, response))
})

const publishAgain = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  responses: ReadonlyArray<ResponseId>,
  at: number,
  operation: number
) {
  let published = false
  yield* Effect.acquireUseRelease(
    market.beginGeneration(series.key),
    (generation) =>
      Effect.gen(function* () {
        for (const id of responses) {
          yield* Effect.flatMap(archivedAnswer(archive, id), (answer) =>
            answer === null ? Effect.void : project(market, fetcher, series, answer, generation)
          ).pipe(passOver(series, id))
        }
        yield* Effect.uninterruptible(
          Effect.tap(market.publishGeneration(generation, at, { operation }), () => {
            published = true
            return Effect.void
          })
        )
      }),
    (generation) => (published ? Effect.void : Effect.ignore(market.dropGeneration(generation)))
  )
})

/**
 * Returns true when the series is forgotten and stays so; with `recall` it is made anew instead. The caller holds the planning
 * permit of the series.
 */
export const settleOperations = Effect.fnUntraced(function* (
  stores: Stores,
  series: BarSeries,
  fetcher: Fetcher,
  options: { readonly recall: boolean }
) {
  const { archive, market } = stores
  const operations = yield* archive.operationsOf(series.text, 0)
  if (operations.length === 0) return false
  const forgotten = forgottenBy(operations)
  if (forgotten !== null) {
    // Where its process died before the store had done it.
    yield* market.forget(series.key)
    if (!options.recall) return true
    yield* archive.recordOperation(series.text, { _tag: "Recalled" })
  }
  const last = yield* market.lastOperation(series.key)
  const answers = yield* archive.answersOf(series.text, 0)
  // Both ascend: each operation looks only at the answers since the one before it.
  let next = 0
  for (const { after, change, id, recordedAt } of operations) {
    if (id <= last || change._tag === "Forgotten" || change._tag === "Recalled" || change._tag === "Confirmed") continue
    const before = next
    while ((answers[next] ?? Infinity) <= after) next++
    if (next > before) yield* applyBefore(stores, series, fetcher, answers.slice(before, next))
    if (change._tag === "Invalidated") {
      yield* market.invalidate(series.key, change.range, recordedAt, { operation: { id, after } })
    } else if (change._tag === "Admitted" || change._tag === "Believed") {
      yield* admitAgain(stores, series, fetcher, change.response, id)
    } else {
      yield* publishAgain(stores, series, fetcher, change.responses, change.at, id)
    }
  }
  return false
})
