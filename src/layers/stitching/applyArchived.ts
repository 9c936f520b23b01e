import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import { decoderFor, lowestVersion } from "../../services/decoders.ts"
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
  const applied = unknown.length === 0 ? none : yield* appliedOf({ archive, market }, series, fetcher, unknown)
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

/** Those of these answers that were applied as they are read today: each by the decoder of its date, or a later one. */
const appliedOf = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  series: BarSeries,
  { fetch }: Fetcher,
  answers: ReadonlyArray<ResponseId>
) {
  const newest = yield* market.applied(series.key, fetch.decoderVersion)
  const lowest = lowestVersion(fetch)
  if (lowest === fetch.decoderVersion) return newest
  const any = yield* market.applied(series.key, lowest)
  const byVersion = new Map([[lowest, any]])
  const applied = new Set(newest)
  for (const id of answers) {
    if (applied.has(id) || !any.has(id)) continue
    const { version } = decoderFor(fetch, (yield* archive.response(id)).askedAt)
    const found = byVersion.get(version) ?? (yield* market.applied(series.key, version))
    byVersion.set(version, found)
    if (found.has(id)) applied.add(id)
  }
  return applied
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
