/** The steps of a backfill: a plan for each symbol, and each request of it. What they keep is plans and counts. */
import { Clock, Effect, Schema } from "effect"
import type { Backfill } from "../../../domain/Backfill.ts"
import { CoverageInterval } from "../../../domain/Coverage.ts"
import { Plan, type PlannedRequest } from "../../../domain/Plan.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { TimeRange } from "../../../domain/TimeRange.ts"
import type { JobFailure } from "../../../services/JobQueue.ts"
import type { StitchingCache } from "../../../services/StitchingCache.ts"
import { holesOf } from "../../stitching/report.ts"
import { asJobFailure } from "./passing.ts"

/** What is to be done for a symbol; `refused` where nothing can be. */
export const Planned = Schema.TaggedUnion({
  planned: { plan: Plan },
  refused: { range: TimeRange, message: Schema.String }
})
export type Planned = typeof Planned.Type

/** What came of a request. `losses` are the first of what it could not have. */
export const Piece = Schema.Struct({
  rows: Schema.Int,
  rejected: Schema.Int,
  requests: Schema.Int,
  losses: Schema.Array(CoverageInterval)
})
export interface Piece extends Schema.Schema.Type<typeof Piece> {}

const mostLosses = 20
const day = 86_400_000

/** The range that is meant when the work begins. */
const rangeOf = ({ last, range, timeframe }: Backfill, now: number): TimeRange => {
  if (range !== undefined) return range
  const end = Math.floor(Timeframe.floor(timeframe, now) / day) * day
  return { start: end - (last ?? 0), end }
}

export const planFor = Effect.fnUntraced(function* (
  cache: StitchingCache["Service"],
  backfill: Backfill,
  symbol: string
): Effect.fn.Return<Planned, JobFailure> {
  const { adjustment, currency, dataset, policy = "cacheFirst", price, session, timeframe, vendor } = backfill
  const range = rangeOf(backfill, yield* Clock.currentTimeMillis)
  return yield* cache
    .resolve(vendor, {
      symbol,
      kind: "bar",
      timeframe,
      ...(dataset === undefined ? {} : { dataset }),
      ...(price === undefined ? {} : { price }),
      ...(session === undefined ? {} : { session }),
      ...(currency === undefined ? {} : { currency }),
      ...(adjustment === undefined ? {} : { adjustment })
    })
    .pipe(
      Effect.flatMap((series) => cache.plan({ series, range, policy })),
      Effect.map((plan): Planned => ({ _tag: "planned", plan })),
      Effect.catch((error) => {
        const failure = asJobFailure(error)
        // Another symbol may be had all the same.
        const own = error.reason._tag === "VendorError" && !failure.passing
        return own
          ? Effect.succeed<Planned>({ _tag: "refused", range, message: failure.message })
          : Effect.fail(failure)
      })
    )
})

/** The part of a plan that one of its requests is for: executed alone it makes that request and no other. */
const partOf = (plan: Plan, request: PlannedRequest): Plan => {
  const start = Math.max(plan.range.start, request.range.start)
  const end = Math.min(plan.range.end, request.range.end)
  return {
    ...plan,
    range: { start, end },
    pieces: plan.pieces.flatMap((piece) =>
      piece.start < end && start < piece.end
        ? [{ ...piece, start: Math.max(start, piece.start), end: Math.min(end, piece.end) }]
        : []
    ),
    requests: [request],
    waits: request.waits,
    cost: request.cost
  }
}

export const fetchPiece = (
  cache: StitchingCache["Service"],
  plan: Plan,
  request: PlannedRequest
): Effect.Effect<Piece, JobFailure> =>
  cache.execute(partOf(plan, request), { onMissing: "partial" }).pipe(
    Effect.map(({ coverage, requests, rowsFromVendor, rowsRejected = 0 }) => ({
      rows: rowsFromVendor,
      rejected: rowsRejected,
      requests,
      losses: holesOf(coverage).slice(0, mostLosses)
    })),
    Effect.mapError(asJobFailure)
  )
