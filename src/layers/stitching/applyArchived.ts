import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { isAdjusted } from "./basis.ts"
import { type ArchivedAnswer, type BarSeries, type Fetcher, project, readAnswer } from "./project.ts"
import type { SeriesDesk } from "./SeriesDesk.ts"
import { weigh } from "./weigh.ts"

/**
 * Marks the requests of a refetch. Their answers belong to a generation that is published as a whole or not at all, so they
 * are never applied one by one, and requests of ordinary reads are never served by them.
 */
export const refetchTag = "refetch"
/** Marks requests whose answers only prove others (admit.ts); they are never applied either. */
export const checkTag = "check"

interface Stores {
  readonly market: MarketStore["Service"]
  readonly archive: ProvenanceStore["Service"]
}

/**
 * Applies what the archive has about a series and the store has not: what a crash left between the two, and everything once
 * when the decoder's version was raised. What cannot be read is passed over: it proves nothing.
 */
export const applyArchived = Effect.fnUntraced(function* (
  { archive, market }: Stores,
  desk: SeriesDesk,
  series: BarSeries,
  fetcher: Fetcher
) {
  const { decoderVersion } = fetcher.fetch
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
    const left = yield* applyOne({ archive, market }, desk, series, fetcher, id, published)
    if (left === "in flight") upTo = Math.min(upTo, id - 1)
  }
  desk.applied = { decoderVersion, upTo }
  for (const id of desk.settled) if (id <= upTo) desk.settled.delete(id)
})

/** An answer as the archive has it; null when it does not say what it was asked for, or has no bytes. */
export const archivedAnswer = Effect.fnUntraced(function* (archive: ProvenanceStore["Service"], id: ResponseId) {
  const response = yield* archive.response(id)
  const request = yield* archive.request(response.request)
  const range = request.subject?.range
  if (range === undefined || response.sha256 === null) return null
  const payload = yield* archive.payload(response.sha256)
  const refusal =
    response.status === "not_found" ? "NotFound" : response.status === "not_entitled" ? "NotEntitled" : null
  return { response, payload, range, request, refusal } satisfies ArchivedAnswer
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
  if (answer === null) return "passed over"
  // What a published refetch had read with an earlier decoder is read again like everything else.
  if (answer.request.cacheTag === refetchTag && !published.has(id)) return "passed over"
  if (answer.request.cacheTag === checkTag) return "passed over"
  const { range } = answer
  for (const flight of desk.flights.values()) {
    // Its own flight is about to apply it.
    if (flight.range.start === range.start && flight.range.end === range.end) return "in flight"
  }
  if (!isAdjusted(series.key)) {
    yield* project(market, fetcher, series, answer)
    return "applied"
  }
  const reading = yield* readAnswer(fetcher, series, answer)
  const { askedAt } = answer.response
  return yield* desk.committing.withPermit(
    Effect.gen(function* () {
      const reach = Number.NEGATIVE_INFINITY
      const verdict = yield* weigh({ market, archive, series: series.key, reading, askedAt, evidence: null, reach })
      // What does not fit, or cannot be proven without a call, stays missing: the flight that asks for it decides (admit.ts).
      if (verdict._tag !== "Fits" || verdict.unproven.length > 0) return "passed over"
      yield* market.commit(reading.commit)
      return "applied"
    })
  )
}, passOver)

/** A damaged payload, bytes that cannot be read and rows that cannot be accepted leave a hole, not an error. */
function passOver<
  A,
  E extends { readonly _tag: string; readonly message: string; readonly reason: { _tag: string } },
  R
>(
  applying: Effect.Effect<A, E, R>,
  _stores: Stores,
  _desk: SeriesDesk,
  series: BarSeries,
  _fetcher: Fetcher,
  id: ResponseId
) {
  return Effect.catchIf(
    applying,
    (error) => !error.reason._tag.startsWith("Archive") && !error.reason._tag.startsWith("Store"),
    (error) =>
      Effect.as(
        Effect.logWarning(`archived response ${id} of ${series.text} cannot be applied: ${error.message}`),
        "passed over" as const
      )
  )
}
