/**
 * Jobs of the type `backfill`: what is missing of some series, fetched request by request.
 *
 * Responsibilities: the steps in their order (all plans first, so that it is known how much there is to do), so many requests at once as the vendor
 * takes; the report. Queueing: that of the quota, which everybody shares.
 *
 * Hard cases: a step that was done is not done again, and one that was under way when the process died finds what it had asked for in the
 * archive, so that no request is made twice. A request that could not be had is no error of the attempt until all others were made; then the
 * attempt has failed if another may have it, and the next one plans what is still missing.
 */
import { Effect, Layer, Schema } from "effect"
import { Backfill, backfillType } from "../../../domain/Backfill.ts"
import { type CoverageInterval, type CoverageState, isComplete } from "../../../domain/Coverage.ts"
import type { JobHole, JobOutcome, JobProgress } from "../../../domain/Job.ts"
import type { Plan } from "../../../domain/Plan.ts"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import {
  InvalidJob,
  type JobEnding,
  JobFailure,
  JobQueue,
  type JobSteps,
  type JobType
} from "../../../services/JobQueue.ts"
import { MarketStore } from "../../../services/MarketStore.ts"
import { StitchingCache, StitchingCacheError } from "../../../services/StitchingCache.ts"
import { holesIn } from "./holes.ts"
import { asJobFailure, waitOf } from "./passing.ts"
import { fetchPiece, Piece, Planned, planFor } from "./pieces.ts"

const decode = Schema.decodeUnknownEffect(Backfill)

/** Holes that a report names. */
const named = 50

const readPayload = (payload: Schema.Json) =>
  Effect.mapError(
    decode(payload, { onExcessProperty: "error" }),
    (error) => new InvalidJob({ message: `the payload of a backfill: ${error.message}` })
  )

/** In a line, what the first of the holes is there for. */
const whyOf = (hole: JobHole | undefined, holeCount: number): string => {
  const state = hole?.interval.state
  const rest = holeCount > 1 ? ` (${holeCount} parts could not be had)` : ""
  switch (state?._tag) {
    case "NotFound":
      return `the vendor does not know ${hole?.symbol}, or has nothing of it in this range${rest}`
    case "NotEntitled":
      return `the account may not have ${hole?.symbol}${rest}`
    case "Missing":
      return `${hole?.symbol}: ${state.cause?.message ?? "not had"}${rest}`
    case "Throttled":
      return `${hole?.symbol}: ${state.cause ?? "the vendor's budget is spent"}${rest}`
    default:
      return `${holeCount} part(s) could not be had`
  }
}

interface Fetched {
  readonly symbol: string
  readonly planned: Planned
  readonly losses: ReadonlyArray<CoverageInterval>
}

const make = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const market = yield* MarketStore
  const registry = yield* AdapterRegistry

  /** What the store has of a symbol in the end, without asking anybody. */
  const looked = Effect.fnUntraced(function* ({ range, series }: Plan) {
    const coverage = yield* cache.coverage(series, range)
    const rows = yield* Effect.mapError(market.count(series, range), (reason) => new StitchingCacheError({ reason }))
    return { coverage, rows }
  }, Effect.mapError(asJobFailure))

  const fetchAll = Effect.fnUntraced(function* (
    { progress, step }: JobSteps,
    symbols: ReadonlyArray<{ readonly symbol: string; readonly planned: Planned }>,
    concurrency: number
  ) {
    const of = symbols.reduce(
      (sum, { planned }) => sum + (planned._tag === "planned" ? planned.plan.requests.length : 0),
      0
    )
    let sum: JobProgress & { readonly rejected: number } = { done: 0, of, rows: 0, requests: 0, rejected: 0 }
    yield* progress(sum)
    const done: Array<Fetched> = []
    for (const [index, { planned, symbol }] of symbols.entries()) {
      const losses: Array<CoverageInterval> = []
      if (planned._tag === "planned") {
        const { plan } = planned
        yield* Effect.forEach(
          plan.requests,
          (request, position) =>
            Effect.gen(function* () {
              const piece = yield* step(`${index}/${position}`, Piece, fetchPiece(cache, plan, request))
              losses.push(...piece.losses)
              sum = {
                done: sum.done + 1,
                of,
                rows: sum.rows + piece.rows,
                requests: sum.requests + piece.requests,
                rejected: sum.rejected + piece.rejected
              }
              yield* progress(sum)
            }),
          { concurrency, discard: true }
        )
      }
      done.push({ symbol, planned, losses: losses.sort((a, b) => a.start - b.start) })
    }
    return { done, sum }
  })

  const endingOf = Effect.fnUntraced(function* ({
    done,
    sum
  }: Effect.Success<ReturnType<typeof fetchAll>>): Effect.fn.Return<JobEnding, JobFailure> {
    const holes: Array<JobHole> = []
    let rowsStored = 0
    let holeCount = 0
    let had = false
    let wait: number | null = null
    let refused: string | null = null
    for (const { losses, planned, symbol } of done) {
      if (planned._tag === "refused") {
        const { message, range } = planned
        refused ??= message
        holeCount++
        const state: CoverageState = { _tag: "Missing", cause: { tag: "Refused", message } }
        if (holes.length < named) holes.push({ symbol, interval: { ...range, state } })
        continue
      }
      const { coverage, rows } = yield* looked(planned.plan)
      rowsStored += rows
      had ||= coverage.some(({ state }) => isComplete(state) && state._tag !== "Closed")
      // To who forces it, what is stored from before is no answer.
      for (const interval of holesIn(planned.plan.policy === "force" ? losses : coverage, losses)) {
        holeCount++
        if (holes.length < named) holes.push({ symbol, interval })
        const passes = waitOf(interval.state)
        if (passes !== null) wait = Math.max(wait ?? 0, passes)
      }
    }
    const { rejected, requests, rows } = sum
    const outcome: JobOutcome = { rows, rowsStored, rowsFailed: rejected, requests, holes, holeCount }
    const message = refused ?? whyOf(holes[0], holeCount)
    if (wait !== null) return { outcome, failure: { message, passing: true, retryAfter: wait } }
    return holeCount > 0 && !had ? { outcome, failure: { message, passing: false } } : { outcome }
  })

  const type: JobType = {
    name: backfillType,
    read: Effect.fnUntraced(function* (payload) {
      const { range = null, symbols, vendor } = yield* readPayload(payload)
      const known = yield* registry.list
      if (!known.includes(vendor)) {
        return yield* new InvalidJob({ message: `no vendor named ${vendor}; known: ${known.join(", ") || "none"}` })
      }
      return { provider: vendor, mode: "backfill", symbols, range }
    }),
    run: Effect.fn("Backfill.run")(function* (steps) {
      const backfill = yield* Effect.mapError(
        readPayload(steps.job.payload),
        ({ message }) => new JobFailure({ message, passing: false })
      )
      const { limits } = yield* Effect.mapError(
        registry.fetcher(backfill.vendor),
        ({ message }) => new JobFailure({ message, passing: false })
      )
      const symbols = yield* Effect.forEach(backfill.symbols, (symbol, index) =>
        Effect.map(steps.step(`plan ${index}`, Planned, planFor(cache, backfill, symbol)), (planned) => ({
          symbol,
          planned
        }))
      )
      return yield* endingOf(yield* fetchAll(steps, symbols, limits.concurrency))
    })
  }

  const queue = yield* JobQueue
  yield* queue.register(type)
})

export const layer = Layer.effectDiscard(make)
