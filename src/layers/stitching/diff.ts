/** What a vendor changed of a range between two instants, from the rows and the coverage that were known at each. */
import { Effect, Option, Stream } from "effect"
import { sameValues } from "../../domain/Bar.ts"
import { isComplete, type StoredCoverage } from "../../domain/Coverage.ts"
import type { KnownRow, Moment, RowDifference } from "../../domain/RowDifference.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import type { StoredBar } from "../../services/MarketStore.ts"
import type { CacheContext } from "./CacheContext.ts"
import type { BarSeries } from "./project.ts"

/** Rows of either side that are looked at together. */
const windowRows = 2_000

/** The instant that is meant; that of a response is when it had just been fetched. */
export const instantOf = ({ archive }: CacheContext, moment: Moment) =>
  typeof moment === "number"
    ? Effect.succeed(moment)
    : Effect.map(archive.response(moment.response), ({ fetchedAt }) => fetchedAt)

interface Side {
  readonly at: EpochMillis
  readonly coverage: ReadonlyArray<StoredCoverage>
}

/** What the coverage of a side says of stamps, asked in ascending order, that have no row there. */
const absenceIn = ({ coverage }: Side) => {
  let index = 0
  return (ts: EpochMillis): KnownRow | null => {
    while ((coverage[index]?.end ?? Infinity) <= ts) index++
    const piece = coverage[index]
    if (piece === undefined || piece.start > ts || !isComplete(piece.state)) return null
    const { recordedAt, state } = piece
    return { bar: null, final: state._tag !== "Provisional", response: state.response, recordedAt }
  }
}

const known = ({ bar, final, lineage: { recordedAt, response } }: StoredBar): KnownRow => ({
  bar,
  final,
  response,
  recordedAt
})

const differenceOf = (ts: EpochMillis, before: KnownRow | null, after: KnownRow | null): RowDifference | null => {
  // Nobody had asked by then: what came later is news, and no change.
  if (before === null) return null
  if (after === null) return { ts, kind: "unknown", before, after }
  if (before.bar !== null && after.bar !== null) {
    return sameValues(before.bar, after.bar) ? null : { ts, kind: "changed", before, after }
  }
  if (after.bar === null) return { ts, kind: "withdrawn", before, after }
  return { ts, kind: before.final ? "added" : "unknown", before, after }
}

/** Differences in ascending order. Memory holds one window of rows and the coverage of both sides, whatever the range. */
export const diff = (
  { market }: CacheContext,
  series: BarSeries,
  range: TimeRange,
  between: readonly [EpochMillis, EpochMillis]
) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const sides = yield* Effect.forEach(between, (at) =>
        Effect.map(market.coverage(series.key, range, { asOf: at }), (coverage): Side => ({ at, coverage }))
      )
      const absent = sides.map(absenceIn)
      const rowsFrom = (from: EpochMillis, { at }: Side) =>
        market
          .storedBars(series.key, { start: from, end: range.end }, { asOf: at })
          .pipe(Stream.take(windowRows), Stream.runCollect)

      return Stream.paginate(range.start, (from) =>
        Effect.map(
          Effect.forEach(sides, (side) => rowsFrom(from, side)),
          (windows) => {
            // Beyond the last row of a full window its side may have more.
            const ends = windows.map((rows) => (rows.length < windowRows ? range.end : (rows.at(-1)?.bar.ts ?? 0) + 1))
            const end = Math.min(...ends)
            const [before = new Map(), after = new Map()] = windows.map(
              (rows) => new Map(rows.filter(({ bar }) => bar.ts < end).map((row) => [row.bar.ts, known(row)]))
            )
            const found: Array<RowDifference> = []
            for (const ts of [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b)) {
              const difference = differenceOf(
                ts,
                before.get(ts) ?? absent[0]?.(ts) ?? null,
                after.get(ts) ?? absent[1]?.(ts) ?? null
              )
              if (difference !== null) found.push(difference)
            }
            return [found, end < range.end ? Option.some(end) : Option.none()] as const
          }
        )
      )
    })
  )
