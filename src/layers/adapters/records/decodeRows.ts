/**
 * From text to bars, whole or a piece at a time. Everything it depends on is in its arguments, so that an archived answer decodes
 * to the same bars in every process and after every change of the configuration.
 */
import { Data, Effect, Result } from "effect"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import type { DecodedBars } from "../../../services/Adapter.ts"
import { BarCollector } from "./BarCollector.ts"
import { BarReader } from "./BarReader.ts"
import { type OpenRecords, openRecords } from "./openRecords.ts"
import type { RowDecoding } from "./RowDecoding.ts"
import { RowStamps } from "./RowStamps.ts"
import * as Timestamp from "./timestamp.ts"

/** The text cannot be read as its request says; `message` names the place. */
export class DecodeFailure extends Data.TaggedError("DecodeFailure")<{
  readonly position: number | null
  readonly message: string
}> {}

/** A row that a lenient configuration passed over. */
export interface RejectedRow {
  readonly position: number
  readonly reason: string
  readonly text: string
}

/** `read` counts the rows of the text, also those outside the range; `descends` says that they ran from the newest to the oldest. */
export interface DecodedRows extends DecodedBars {
  readonly rejected: ReadonlyArray<RejectedRow>
  readonly read: number
  readonly descends: boolean
}

export interface RowContext {
  readonly decoding: RowDecoding
  readonly range: TimeRange
  /** Local midnight of the date of the text, which `millis-of-day` counts from; null where it has none. */
  readonly midnight: number | null
  /** The stamps that the text may hold; null: any. */
  readonly period: (clock: ZoneClock.ZoneClock) => TimeRange | null
  /** How a row, or the text as a whole (null), is called in messages. */
  readonly label: (position: number | null) => string
}

/** Rows between two turns of the event loop: about four milliseconds. */
const rowsPerTurn = 4096

/** Rejected rows that are kept; a text with more is not what its configuration says it is. */
const maxRejected = 100_000

const stampsOf = ({ decoding, midnight, period }: RowContext): Result.Result<RowStamps, string> =>
  Result.gen(function* () {
    const { timeframe, timestamp, zone } = decoding
    const clock = ZoneClock.make(zone)
    if (clock === null) return yield* Result.fail(`there is no zone ${zone}`)
    const reader = yield* Timestamp.make(timestamp, midnight)
    return new RowStamps({ timeframe, reader, clock, zone, period: period(clock) })
  })

/** Reads the rows of one text after the other as one; `before` is how many lines lie in front of what is read. */
export interface RowsInPieces {
  readonly read: (opened: OpenRecords, before: number) => Effect.Effect<void, DecodeFailure>
  readonly finish: () => DecodedRows
}

export const rowsInPieces = (context: RowContext): Result.Result<RowsInPieces, DecodeFailure> => {
  const { decoding, label, range } = context
  const fail = (position: number | null, message: string) =>
    new DecodeFailure({ position, message: `${label(position)}: ${message}` })
  return Result.mapBoth(stampsOf(context), {
    onFailure: (message) => fail(null, message),
    onSuccess: (stamps) => {
      const collector = new BarCollector()
      const rejected: Array<RejectedRow> = []
      const { allowNonPositivePrices, badRows, nulls, scale } = decoding
      let rows = 0
      const read = Effect.fnUntraced(function* ({ columns, records, width }: OpenRecords, before: number) {
        const reader = new BarReader({
          columns,
          width,
          stamps,
          scale,
          nulls,
          rules: { allowNonPositivePrices },
          range
        })
        while (records.next()) {
          rows++
          const bar = reader.read(records)
          const position = before + records.position
          if (bar !== null) collector.push(bar, position)
          else if (reader.problem !== null) {
            if (badRows === "fail" || records.fatal) return yield* fail(position, reader.problem)
            rejected.push({ position, reason: reader.problem, text: records.excerpt() })
            if (rejected.length > maxRejected) {
              return yield* fail(position, `more than ${maxRejected} rows are bad, the last because ${reader.problem}`)
            }
          }
          if (rows % rowsPerTurn === 0) yield* Effect.yieldNow
        }
      })
      const finish = () => ({ ...collector.finish(), rejected, read: rows, descends: collector.descends })
      return { read, finish } satisfies RowsInPieces
    }
  })
}

/** The bars of a text that lie in the range. */
export const decodeRows = Effect.fnUntraced(function* (bytes: Uint8Array, context: RowContext) {
  const { label } = context
  const rows = yield* Effect.fromResult(rowsInPieces(context))
  const opened = yield* openRecords(bytes, context.decoding).pipe(
    Effect.mapError(
      ({ message, position }) => new DecodeFailure({ position, message: `${label(position)}: ${message}` })
    )
  )
  yield* rows.read(opened, 0)
  return rows.finish()
})
