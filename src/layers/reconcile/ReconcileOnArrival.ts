/**
 * Compares what has just been committed with what another vendor has said of the same bars, for the pairs that the configuration
 * names.
 *
 * Responsibilities: a MarketStore that is the one below it, and after each commit of a named vendor puts the commit's final
 * ranges in line for a comparison with the stored rows of the other vendor; nobody is asked for anything. Queueing: one line of
 * 1,024 arrivals, worked off one by one in a fiber of the layer; when it is full the oldest is dropped and counted
 * (`tapestry_reconcile_dropped_total`): `tapestry reconcile` over the range finds what was missed. A commit never waits.
 *
 * Hard cases: a commit that changes no row is compared, too: bars that become final as they were shown have not been compared
 * yet, and an answer without rows may contradict the other vendor. Commits into a generation that is being built are not
 * compared (readers do not see them), they are when the next comparison comes. A comparison that fails is logged, and the next
 * one goes on. What is in line when the layer closes is lost.
 */
import { Cause, Clock, Effect, Layer, Metric, Queue, Stream } from "effect"
import * as Intervals from "../../domain/Intervals.ts"
import { compared } from "../../domain/Mismatch.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { TimeRange } from "../../domain/TimeRange.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { type Commit, type CommitResult, MarketStore } from "../../services/MarketStore.ts"
import { reconcileDropped, reconcileMismatches } from "../../services/Metrics.ts"
import { comparePairs, differenceOf, finalRanges } from "./comparison.ts"
import { pairBars } from "./pairBars.ts"
import type { ReconcileRule } from "./ReconcileRule.ts"

const capacity = 1_024

interface Arrival {
  readonly rule: ReconcileRule
  readonly series: SeriesKey
  readonly ranges: Intervals.Ranges
}

const applies = (rule: ReconcileRule, { kind, symbol, timeframe, vendor }: SeriesKey): boolean =>
  kind === "bar" &&
  (vendor === rule.left || vendor === rule.right) &&
  (rule.symbols === null || rule.symbols.includes(symbol.toUpperCase())) &&
  (rule.timeframes === null || (timeframe !== null && rule.timeframes.includes(timeframe)))

const make = Effect.fnUntraced(function* (rules: ReadonlyArray<ReconcileRule>) {
  const market = yield* MarketStore
  const registry = yield* AdapterRegistry
  if (rules.length === 0) return market
  const line = yield* Queue.sliding<Arrival>(capacity)

  /** The same bars at the other vendor, in that one's own spelling; null where it does not have such a series. */
  const counterpart = ({ adjustment, price, session, symbol, timeframe }: SeriesKey, vendor: string) =>
    registry.fetcher(vendor).pipe(
      Effect.flatMap(({ fetch }) =>
        fetch.series({ symbol, kind: "bar", timeframe, session, adjustment, ...(price === "none" ? {} : { price }) })
      ),
      Effect.catch((error) =>
        Effect.as(Effect.logDebug(`arrivals of ${symbol} are not compared with ${vendor}: ${error.message}`), null)
      )
    )

  /** What is said of a range, and its rows, of one mark: rows that go in between are a failure, and no disagreement. */
  const seen = Effect.fnUntraced(function* (series: SeriesKey, range: TimeRange) {
    const mark = yield* market.mark(series)
    if (mark === null) return { final: [], bars: Stream.empty }
    const known = yield* market.coverage(series, range, { generation: mark.generation })
    return { final: finalRanges(known), bars: market.bars(series, range, mark) }
  })

  const comparison = Effect.fnUntraced(function* ({ ranges, rule, series }: Arrival) {
    const other = yield* counterpart(series, series.vendor === rule.left ? rule.right : rule.left)
    if (other === null || differenceOf(series, other) !== null) return
    const [left, right] = series.vendor === rule.left ? [series, other] : [other, series]
    const fields = compared(rule.tolerances)
    for (const range of ranges) {
      const [one, two] = yield* Effect.all([seen(left, range), seen(right, range)])
      const comparable = Intervals.intersect(one.final, two.final)
      if (comparable.length === 0) continue
      const at = yield* Clock.currentTimeMillis
      let start = range.start
      yield* pairBars(one.bars, two.bars, range.end, ({ end, pairs }) =>
        Effect.gen(function* () {
          const found = comparePairs(pairs, comparable, fields).found
          const window = Intervals.intersect(comparable, [{ start, end }])
          start = end
          yield* market.recordMismatches(left, right, window, found, at)
          for (const { field } of found) {
            yield* Metric.update(reconcileMismatches(left.vendor, right.vendor, field), 1)
          }
        })
      )
    }
  })

  yield* Stream.fromQueue(line).pipe(
    Stream.runForEach((arrival) =>
      Effect.catchCause(comparison(arrival), (cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.logWarning(`${arrival.series.symbol} of ${arrival.series.vendor} was not compared`, cause)
      )
    ),
    Effect.forkScoped
  )

  const arrived = Effect.fnUntraced(function* (commit: Commit, { alreadyApplied }: CommitResult) {
    if (commit.generation !== undefined || alreadyApplied) return
    const ranges = finalRanges(commit.coverage)
    if (ranges.length === 0) return
    for (const rule of rules) {
      if (!applies(rule, commit.series)) continue
      if (yield* Queue.isFull(line)) yield* Metric.update(reconcileDropped, 1)
      yield* Queue.offer(line, { rule, series: commit.series, ranges })
    }
  })

  return MarketStore.of({
    ...market,
    commit: (commit) => Effect.tap(market.commit(commit), (result) => arrived(commit, result)),
    commitAll: (commits) =>
      Effect.tap(market.commitAll(commits), (results) =>
        Effect.forEach(
          commits,
          (commit, index) => {
            const result = results[index]
            return result === undefined ? Effect.void : arrived(commit, result)
          },
          { discard: true }
        )
      )
  })
})

/** The store below, with arrivals compared by these rules. */
export const layer = (
  rules: ReadonlyArray<ReconcileRule>
): Layer.Layer<MarketStore, never, MarketStore | AdapterRegistry> => Layer.effect(MarketStore, make(rules))
