import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import { applyFitting } from "./applyFitting.ts"
import { archivedAnswer } from "./archivedAnswer.ts"
import { checkTag } from "./checkTag.ts"
import { passOver } from "./passOver.ts"
import type { BarSeries, Fetcher } from "./project.ts"
import { refetchTag } from "./refetchTag.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import type { Stores } from "./Stores.ts"
import { settleOperations } from "./settleOperations.ts"

/**
 * Applies what the archive has about a series and the store has not: what a crash left between the two, what was decided about
 * the series and not done, and everything once when the decoder's version was raised. What cannot be read is passed over: it
 * proves nothing. The caller holds the planning permit of the series.
 */
export const applyArchived = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher
) {
  const { decoderVersion } = fetcher.fetch
  if (!desk.operated) {
    const settling = settleOperations({ archive, market }, series, fetcher, { recall: true })
    yield* desk.committing.withPermit(settling)
    desk.operated = true
  }
  if (desk.applied.decoderVersion !== decoderVersion) {
    desk.applied = { decoderVersion, upTo: 0 }
    desk.settled.clear()
  }
  const answers = yield* archive.answersOf(series.text, desk.applied.upTo)
  const unknown = answers.filter((id) => !desk.settled.has(id))
  const none: ReadonlySet<ResponseId> = new Set()
  const applied = unknown.length === 0 ? none : yield* market.applied(series.key, decoderVersion)
  const waiting = unknown.some((id) => !applied.has(id))
  const published = waiting ? yield* market.applied(series.key, Number.MIN_SAFE_INTEGER) : none
  let upTo = answers.at(-1) ?? desk.applied.upTo
  for (const id of unknown) {
    if (applied.has(id)) continue
    const left = yield* applyOne({ archive, market }, desk, series, fetcher, id, published).pipe(passOver(series, id))
    if (left === "in flight") upTo = Math.min(upTo, id - 1)
  }
  desk.applied = { decoderVersion, upTo }
  for (const id of desk.settled) if (id <= upTo) desk.settled.delete(id)
})

const applyOne = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher,
  id: ResponseId,
  published: ReadonlySet<ResponseId>
) {
  const answer = yield* archivedAnswer(archive, id)
  if (answer === null) return null
  // What a published refetch had read with an earlier decoder is read again like everything else.
  if (answer.request.cacheTag === refetchTag && !published.has(id)) return null
  if (answer.request.cacheTag === checkTag) return null
  const { range } = answer
  for (const flight of desk.flights.values()) {
    // Its own flight is about to apply it.
    if (flight.range.start === range.start && flight.range.end === range.end) return "in flight"
  }
  yield* desk.committing.withPermit(applyFitting({ archive, market }, series, fetcher, answer, undefined, desk))
  return null
})
