import { Schema } from "effect"

/** An instant in milliseconds since 1970-01-01T00:00:00Z; always a whole number. */
export const EpochMillis = Schema.Int
export type EpochMillis = number

/**
 * A half-open, never empty range `[start, end)` of instants in UTC epoch milliseconds.
 *
 * Bars, coverage and plans all speak in these. A bound finer than a millisecond is rounded up when it is parsed, which keeps
 * the meaning of the range exact for rows whose own stamps are whole milliseconds.
 */
export const TimeRange = Schema.Struct({ start: EpochMillis, end: EpochMillis }).pipe(
  Schema.check(Schema.makeFilter((range) => range.start < range.end || "start must be before end"))
)
export interface TimeRange {
  readonly start: EpochMillis
  readonly end: EpochMillis
}

/** Milliseconds from start to end. */
export const span = (range: TimeRange): number => range.end - range.start

/** Whether an instant is in the range; its end is not. */
export const contains = (range: TimeRange, instant: EpochMillis): boolean =>
  range.start <= instant && instant < range.end

/** `2019-01-02T00:00:00.000Z/2019-02-01T00:00:00.000Z`, the ISO 8601 interval notation. */
export const format = (range: TimeRange): string =>
  `${new Date(range.start).toISOString()}/${new Date(range.end).toISOString()}`
