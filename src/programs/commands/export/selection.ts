/** Which stored rows are meant: a kind, a part of its series, a range, and as they were known when. */
import { Data, Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { allTime, type EpochMillis, type TimeRange } from "../../../domain/TimeRange.ts"
import type { ImportKind } from "../../../services/Imports.ts"
import { MarketStore } from "../../../services/MarketStore.ts"
import { UsageError } from "../../failure/UsageError.ts"
import { instantFlag } from "../../flags/RangeFlags.ts"
import { seriesFlags } from "../../flags/SeriesFlags.ts"

export const selectionFlags = {
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription("Only rows of this vendor"),
    Flag.optional
  ),
  timeframe: Flag.optional(seriesFlags.timeframe),
  from: instantFlag("from", "Only rows at or after this instant").pipe(Flag.optional),
  to: instantFlag("to", "Only rows before this instant").pipe(Flag.optional),
  asOf: instantFlag("as-of", "The rows as they were known then").pipe(Flag.optional)
}

export interface Selection {
  readonly kind: ImportKind
  /** Undefined: whatever it is. */
  readonly vendor?: string | undefined
  readonly timeframe?: Timeframe.Timeframe | undefined
  readonly dataset?: string | undefined
  readonly price?: string | undefined
  readonly session?: string | undefined
  readonly currency?: string | undefined
  readonly adjustment?: string | undefined
  /** As `series list` spells them; none: all. */
  readonly symbols: ReadonlyArray<string>
}

const parts = ["vendor", "timeframe", "dataset", "price", "session", "currency", "adjustment"] as const

/** The stored series that are meant, by canonical key. */
export const selected = Effect.fnUntraced(function* (selection: Selection) {
  const { kind, symbols } = selection
  const wanted = (series: SeriesKey): boolean =>
    series.kind === kind &&
    (symbols.length === 0 || symbols.includes(series.symbol)) &&
    parts.every((part) => selection[part] === undefined || selection[part] === series[part])
  return (yield* (yield* MarketStore).series).filter(({ series }) => wanted(series))
})

/** The stored series are none. */
export class NothingStored extends Data.TaggedError("NothingStored")<{ readonly message: string }> {}

/** Of each series that is meant the part of the range that has rows, and about how many they are; a side that is bounded stays as it is. */
export const storedRanges = Effect.fnUntraced(function* (selection: Selection, range: TimeRange) {
  return (yield* selected(selection)).flatMap(({ first, last, rows, series }) => {
    if (first === null || last === null) return []
    const lastEnd = series.timeframe === null ? last + 1 : Timeframe.periodEnd(series.timeframe, last)
    const start = range.start === allTime.start ? first : range.start
    const end = range.end === allTime.end ? lastEnd : range.end
    return start < end ? [{ series, range: { start, end }, rows }] : []
  })
})

/** From --from to --to; all time on the side that is not given. */
export const spanOf = (input: {
  readonly from: Option.Option<EpochMillis>
  readonly to: Option.Option<EpochMillis>
}): Effect.Effect<TimeRange, UsageError> => {
  const start = Option.getOrElse(input.from, () => allTime.start)
  const end = Option.getOrElse(input.to, () => allTime.end)
  return start < end
    ? Effect.succeed({ start, end })
    : Effect.fail(new UsageError({ message: "--from is not before --to" }))
}
