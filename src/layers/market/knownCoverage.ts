/** From answers to what is known of a range, in the words of the domain; in slices, with turns of the event loop between them. */
import { Effect } from "effect"
import type { Refused, StoredCoverage } from "../../domain/Coverage.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import type { Answer } from "./GenerationTables.ts"
import { type Known, withRefusals } from "./refusals.ts"
import { responseId } from "./rows.ts"
import { Skyline } from "./Skyline.ts"
import { decode, isRefusal, StateCode } from "./stateCode.ts"

/** Pieces between two turns of the event loop; about four milliseconds. */
const slicePieces = 8_192

const refusedOf = ({ code, fetchedAt, response, until }: Answer): Refused => ({
  tag: code === StateCode.NotFound ? "NotFound" : "NotEntitled",
  response: responseId(response),
  recordedAt: fetchedAt,
  until: until ?? 0
})

const add = (found: Array<StoredCoverage>, range: TimeRange, pieces: ReadonlyArray<Known>): void => {
  for (const piece of pieces) {
    const state = decode(piece.code, piece.until, responseId(piece.response))
    const start = Math.max(range.start, piece.start)
    const end = Math.min(range.end, piece.end)
    if (state === null || start >= end) continue
    // There may be 100,000 of them: a record that is spread together takes several times as long as one that is written out.
    const recordedAt = piece.fetchedAt
    const kept: StoredCoverage =
      state._tag === "Covered" && piece.until !== null
        ? { start, end, state, recordedAt, askedAt: piece.until }
        : { start, end, state, recordedAt }
    found.push(piece.refusal === undefined ? kept : { ...kept, refusal: refusedOf(piece.refusal) })
  }
}

/** Pieces in the words of the domain, cut to a range; what was invalidated says nothing. */
export const clipped = Effect.fnUntraced(function* (range: TimeRange, pieces: ReadonlyArray<Known>) {
  const found: Array<StoredCoverage> = []
  for (let from = 0; from < pieces.length; from += slicePieces) {
    if (from > 0) yield* Effect.yieldNow
    add(found, range, pieces.slice(from, from + slicePieces))
  }
  return found
})

const newestOf = Effect.fnUntraced(function* (answers: ReadonlyArray<Answer>) {
  const skyline = new Skyline(answers)
  const found: Array<Answer> = []
  for (;;) {
    const pieces = skyline.next(slicePieces)
    if (pieces.length === 0) return found
    for (const piece of pieces) found.push(piece)
    yield* Effect.yieldNow
  }
})

/** What held by these answers, whatever their order. */
export const knownOf = Effect.fnUntraced(function* (found: ReadonlyArray<Answer>) {
  const answers = found.toSorted((a, b) => a.start - b.start)
  const refusals = answers.filter(({ code }) => isRefusal(code))
  return withRefusals(yield* newestOf(answers.filter(({ code }) => !isRefusal(code))), yield* newestOf(refusals))
})
