import { Schema } from "effect"

/** An instant in milliseconds since 1970-01-01T00:00:00Z; always a whole number. */
export const EpochMillis = Schema.Int
export type EpochMillis = number

/** The farthest that a date can be written for: 100 million days either side of 1970. */
const farthest = 8_640_000_000_000_000

/** An instant that someone asks for. What is stored was checked when it came, and its schema is spared this. */
export const AskedMillis = EpochMillis.pipe(Schema.check(Schema.isBetween({ minimum: -farthest, maximum: farthest })))

/**
 * A half-open, never empty range `[start, end)` of instants in UTC epoch milliseconds.
 *
 * Bars, coverage and plans all speak in these. A bound finer than a millisecond is rounded up when it is parsed, which keeps
 * the meaning of the range exact for rows whose own stamps are whole milliseconds.
 */
export const TimeRange = Schema.Struct({ start: AskedMillis, end: AskedMillis }).pipe(
  Schema.check(Schema.makeFilter((range) => range.start < range.end || "start must be before end"))
)
export interface TimeRange {
  readonly start: EpochMillis
  readonly end: EpochMillis
}

/** Why a value is not the stamp of a row, in words that name the field; null when it is. */
export const stampDefect = (ts: unknown): string | null => {
  if (typeof ts !== "number" || !Number.isSafeInteger(ts)) return `ts is not a whole number of milliseconds: ${ts}`
  return Math.abs(ts) <= farthest ? null : `ts lies where no date can be written: ${ts} ms`
}

/** Every instant that a date can be written for. */
export const allTime: TimeRange = { start: -farthest, end: farthest }

/** Milliseconds from start to end. */
export const span = (range: TimeRange): number => range.end - range.start

/** Whether an instant is in the range; its end is not. */
export const contains = (range: TimeRange, instant: EpochMillis): boolean =>
  range.start <= instant && instant < range.end

/** `2019-01-02T00:00:00.000Z/2019-02-01T00:00:00.000Z`, the ISO 8601 interval notation. */
export const format = (range: TimeRange): string => `${iso(range.start)}/${iso(range.end)}`

/** `2019-01-02T00:00:00.000Z`; for a number that is no date, the number. */
export const iso = (instant: EpochMillis): string =>
  Math.abs(instant) <= farthest ? new Date(instant).toISOString() : `${instant} ms`
