/**
 * Whether the rows of an answer and those of a generation are of one basis: what any vendor's history would be at one instant.
 *
 * A rebase at S divides everything before S. So an answer fits a generation when it repeats, with equal values, a final bar
 * that the generation has at or before the answer's first new bar, or, where it has none there, the first it has at all: a
 * rebase that this bar does not show changes nothing that lies behind it, and what lies behind it had been compared with it
 * before. Every other final bar that both have is compared, too. Bars of the generation that are only believed to be of its basis
 * (KnownBasis.ts) prove nothing themselves.
 */
import { Effect, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { StoredCoverage } from "../../domain/Coverage.ts"
import type * as Intervals from "../../domain/Intervals.ts"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { GenerationId, MarketStore, MarketStoreError } from "../../services/MarketStore.ts"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import { sameBasis } from "./basis.ts"
import type { Reading } from "./project.ts"

/**
 * - `Fits`: may be committed. `unproven` are provisional rows that nothing can be compared with: they are to be had again.
 *   `comparedAt` is when the vendor was asked for what showed it; null where nothing did. `believed`: nothing was compared that
 *   would tell. `apart`: all that is stored lies before that instant, where the vendor gives nothing any more.
 * - `Unproven`: the two share no bar that could tell; ask for `anchor`, which the generation has, and `first`, which is new.
 * - `Outdated`: the generation is younger than this answer and another basis.
 * - `Rebased`: the vendor's history has moved since the generation was made; all answers asked for from `since` on are of the new basis.
 */
export type Verdict =
  | {
      readonly _tag: "Fits"
      readonly unproven: ReadonlyArray<TimeRange>
      readonly comparedAt: EpochMillis | null
      readonly believed: boolean
      readonly apart?: EpochMillis
    }
  | { readonly _tag: "Unproven"; readonly anchor: EpochMillis; readonly first: EpochMillis }
  | { readonly _tag: "Outdated"; readonly at: EpochMillis }
  | { readonly _tag: "Rebased"; readonly at: EpochMillis; readonly since: EpochMillis }

/** Bars that were asked for after an answer had come, to see whether it and the generation are both still true. */
export interface Evidence {
  readonly bars: ReadonlyArray<Bar>
  /** The stored bar that was asked for; null where that is not known. */
  readonly anchor: EpochMillis | null
  readonly askedAt: EpochMillis
}

export interface Weighing {
  readonly market: MarketStore["Service"]
  readonly archive: ProvenanceStore["Service"]
  readonly series: SeriesKey
  readonly reading: Reading
  /** Of the answer's response. */
  readonly askedAt: EpochMillis
  readonly evidence: Evidence | null
  /** Nothing before this can be asked for. */
  readonly reach: EpochMillis
  /** The generation that it is compared with; the visible one when it is not given. */
  readonly generation?: GenerationId
  /** What the generation has without proof. */
  readonly believed: Intervals.Ranges
  /** Whether the answer, too, is taken without proof where there is none. */
  readonly believes: boolean
}

const always: TimeRange = { start: -8_640_000_000_000_000, end: 8_640_000_000_000_000 }

const fits = (comparedAt: EpochMillis | null, unproven: ReadonlyArray<TimeRange> = []): Verdict => ({
  _tag: "Fits",
  unproven,
  comparedAt,
  believed: false
})

const isIn = (ranges: Intervals.Ranges, ts: EpochMillis): boolean =>
  ranges.some(({ end, start }) => start <= ts && ts < end)

/** The final bars on either side of an instant that are not merely believed; where there are none, any. */
export const beside = Effect.fnUntraced(function* (
  { believed, generation, market, series }: Pick<Weighing, "believed" | "generation" | "market" | "series">,
  ts: EpochMillis
) {
  const read = generation === undefined ? {} : { generation }
  const near = yield* market.surroundings(series, { start: ts, end: ts }, read)
  let { after, before } = near
  for (const { start } of [...believed].reverse()) {
    if (before === null || !isIn(believed, before.ts)) break
    if (start <= before.ts) before = (yield* market.surroundings(series, { start, end: start }, read)).before
  }
  for (const { end } of believed) {
    if (after === null || !isIn(believed, after.ts)) break
    if (end > after.ts) after = (yield* market.surroundings(series, { start: end, end }, read)).after
  }
  return before === null && after === null ? near : { before, after }
})

/** The stamps that both have as final; or the first at which they are of different bases, with what covers it. */
const compared = Effect.fnUntraced(function* ({ generation, market, reading, series }: Weighing, range: TimeRange) {
  const read = generation === undefined ? {} : { generation }
  const { bars } = reading.commit
  const common = new Set<EpochMillis>()
  let at = 0
  let conflict: { readonly at: EpochMillis; readonly piece: StoredCoverage } | null = null
  for (const piece of yield* market.coverage(series, range, read)) {
    if (piece.state._tag !== "Covered" || conflict !== null) continue
    yield* market.bars(series, piece, read).pipe(
      Stream.takeWhile((stored) => {
        while ((bars[at]?.ts ?? Infinity) < stored.ts) at++
        const given = bars[at]
        if (given === undefined || given.ts !== stored.ts) return true
        common.add(stored.ts)
        if (!sameBasis(stored, given)) conflict = { at: stored.ts, piece }
        return conflict === null
      }),
      Stream.runDrain
    )
  }
  return { common, conflict: conflict as { readonly at: EpochMillis; readonly piece: StoredCoverage } | null }
})

/** Every bar of the evidence that the generation has as final, too, is compared; one of them must be in a place that tells. */
const byEvidence = Effect.fnUntraced(function* (
  { believed, generation, market, series }: Weighing,
  evidence: Evidence,
  anchor: Bar,
  first: Bar
) {
  const read = generation === undefined ? {} : { generation }
  let anchored = false
  const rebased: Verdict = { _tag: "Rebased", at: anchor.ts, since: evidence.askedAt }
  for (const bar of evidence.bars) {
    if (bar.ts !== anchor.ts && (bar.ts >= first.ts || isIn(believed, bar.ts))) continue
    const stored = (yield* market.surroundings(series, { start: bar.ts, end: bar.ts }, read)).after
    if (stored?.ts !== bar.ts) continue
    if (!sameBasis(stored, bar)) return rebased
    anchored = true
  }
  if (!anchored && evidence.anchor === anchor.ts) return rebased
  const now = evidence.bars.find((bar) => bar.ts === first.ts)
  const verdict: Verdict =
    !anchored || now === undefined
      ? { _tag: "Unproven", anchor: anchor.ts, first: first.ts }
      : sameBasis(now, first)
        ? fits(evidence.askedAt)
        : { _tag: "Outdated", at: first.ts }
  return verdict
})

/** No two bars can be compared where the generation has only provisional ones: those that the answer does not have go. */
const withoutAnchor = Effect.fnUntraced(function* (
  { askedAt, generation, market, series }: Weighing,
  range: TimeRange
) {
  const read = generation === undefined ? {} : { generation }
  if (!(yield* market.surroundings(series, range, read)).rows) return fits(askedAt)
  const known = yield* market.coverage(series, always, read)
  const outside = known.filter(
    ({ end, start, state }) => state._tag === "Provisional" && (end <= range.start || start >= range.end)
  )
  return fits(askedAt, outside)
})

export const weigh: (weighing: Weighing) => Effect.Effect<Verdict, MarketStoreError | ProvenanceStoreError> =
  Effect.fnUntraced(function* (weighing) {
    const { archive, believed, evidence, reach, reading, series } = weighing
    const { bars, coverage } = reading.commit
    const range = { start: coverage[0]?.start ?? 0, end: coverage.at(-1)?.end ?? 0 }
    if (bars.length === 0) return fits(null)
    const { common, conflict } = yield* compared(weighing, range)
    if (conflict !== null) {
      const { askedAt } = yield* archive.response(conflict.piece.state.response)
      return askedAt > weighing.askedAt
        ? { _tag: "Outdated", at: conflict.at }
        : { _tag: "Rebased", at: conflict.at, since: weighing.askedAt }
    }
    const first = bars.find(({ ts }) => !common.has(ts))
    const telling = [...common].find((ts) => !isIn(believed, ts))
    if (first === undefined) return fits(telling === undefined ? null : weighing.askedAt)
    const near = yield* beside(weighing, first.ts)
    if (near.before !== null && telling !== undefined && telling < first.ts) return fits(weighing.askedAt)
    if (near.before === null && near.after !== null && common.has(near.after.ts)) return fits(weighing.askedAt)
    let anchor = near.before ?? near.after
    if (anchor === null) return yield* withoutAnchor(weighing, range)
    if (anchor.ts < reach) {
      anchor = (yield* beside(weighing, reach)).after
      if (anchor === null) {
        yield* Effect.logWarning(
          `the vendor no longer has the bars that are stored of ${series.symbol}, so that new ones cannot be compared with them`
        )
        return { _tag: "Fits", unproven: [], comparedAt: null, believed: false, apart: reach }
      }
      if (common.has(anchor.ts)) return fits(weighing.askedAt)
    }
    if (evidence !== null) return yield* byEvidence(weighing, evidence, anchor, first)
    return weighing.believes
      ? { _tag: "Fits", unproven: [], comparedAt: null, believed: true }
      : { _tag: "Unproven", anchor: anchor.ts, first: first.ts }
  })
