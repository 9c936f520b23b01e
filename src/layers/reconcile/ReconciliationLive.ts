/**
 * Comparisons of two series over the StitchingCache, kept in the MarketStore.
 *
 * Queueing: none; a comparison reads both series in step and holds one chunk of each. Hard cases: what is not final on both sides
 * is not compared (a live bar differs from every other), and a hole on one side is no disagreement. Bars that are corrected while
 * they are compared are compared as they were read; with `reconcileOnArrival` the correction is compared when it arrives.
 */
import { Clock, Effect, Layer, Metric, Stream } from "effect"
import { isComplete } from "../../domain/Coverage.ts"
import * as Intervals from "../../domain/Intervals.ts"
import { compared, type Mismatch } from "../../domain/Mismatch.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { reconcileMismatches } from "../../services/Metrics.ts"
import {
  NotComparable,
  type ReconcileQuery,
  type ReconcileReport,
  Reconciliation,
  ReconciliationError
} from "../../services/Reconciliation.ts"
import { type RangeAnswer, StitchingCache } from "../../services/StitchingCache.ts"
import { comparePairs, differenceOf, finalRanges } from "./comparison.ts"
import { pairBars } from "./pairBars.ts"

const failure = (reason: ReconciliationError["reason"]) => new ReconciliationError({ reason })

/** How many mismatches a report names itself. */
const named = 1_000

const make = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const market = yield* MarketStore

  const held = Effect.fnUntraced(function* (query: ReconcileQuery, left: RangeAnswer, right: RangeAnswer) {
    const range = Intervals.intersect([left.range], [right.range])
    const comparable = Intervals.intersect(
      Intervals.intersect(finalRanges(left.coverage), finalRanges(right.coverage)),
      range
    )
    const fields = compared(query.tolerances)
    const counts: Record<string, number> = {}
    const first: Array<Mismatch> = []
    const sum = { rows: 0, mismatched: 0, onlyLeft: 0, onlyRight: 0 }
    const at = yield* Clock.currentTimeMillis
    let start = Math.min(left.range.start, right.range.start)
    yield* pairBars(left.bars, right.bars, Math.max(left.range.end, right.range.end), ({ end, pairs }) => {
      const { found, onlyLeft, onlyRight, rows } = comparePairs(pairs, comparable, fields)
      sum.rows += rows
      sum.onlyLeft += onlyLeft
      sum.onlyRight += onlyRight
      sum.mismatched += new Set(found.map(({ ts }) => ts)).size
      for (const { field } of found) counts[field] = (counts[field] ?? 0) + 1
      first.push(...found.slice(0, named - first.length))
      const window = Intervals.intersect(comparable, [{ start, end }])
      start = end
      return market.recordMismatches(query.left, query.right, window, found, at)
    })
    for (const [field, count] of Object.entries(counts)) {
      yield* Metric.update(reconcileMismatches(query.left.vendor, query.right.vendor, field), count)
    }
    const report: ReconcileReport = {
      left: query.left,
      right: query.right,
      range: query.range,
      tolerances: query.tolerances,
      ...sum,
      mismatches: counts,
      first,
      uncompared: Intervals.subtract(range, comparable),
      leftHoles: left.coverage.filter(({ state }) => !isComplete(state)),
      rightHoles: right.coverage.filter(({ state }) => !isComplete(state))
    }
    return report
  })

  return Reconciliation.of({
    reconcile: Effect.fn("Reconciliation.reconcile")(function* (query, options = {}) {
      const difference = differenceOf(query.left, query.right)
      if (difference !== null) {
        return yield* new NotComparable({ message: `the two series cannot be compared: ${difference}` })
      }
      const { policy = "cacheFirst", range } = query
      const reading = { onMissing: "partial", ...options } as const
      const [left, right] = yield* Effect.all(
        [
          cache.read({ series: query.left, range, policy }, reading),
          cache.read({ series: query.right, range, policy }, reading)
        ],
        { concurrency: 2 }
      )
      return yield* held(query, left, right)
    }, Effect.mapError(failure)),
    mismatches: (left, right, range, options) =>
      Stream.mapError(market.mismatches(left, right, range, options), failure)
  })
})

export const layer: Layer.Layer<Reconciliation, never, StitchingCache | MarketStore> = Layer.effect(
  Reconciliation,
  make
)
