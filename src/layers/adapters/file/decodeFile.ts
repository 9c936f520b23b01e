/**
 * From the bytes of a file to bars. Everything it depends on is in its arguments, so that an archived answer decodes to the
 * same bars in every process and after every change of the configuration.
 */
import { Data, Effect, Result } from "effect"
import { isIntraday } from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import type { DecodedBars } from "../../../services/Adapter.ts"
import { BarCollector } from "./BarCollector.ts"
import { BarReader } from "./BarReader.ts"
import { type FileParams, periodOf } from "./FileRequest.ts"
import { openRecords } from "./openRecords.ts"
import * as PathPattern from "./PathPattern.ts"
import { RowStamps } from "./RowStamps.ts"
import * as Timestamp from "./timestamp.ts"
import { unpack } from "./unpack.ts"

/** The payload cannot be read as its request says; `message` names the file. */
export class DecodeFailure extends Data.TaggedError("DecodeFailure")<{
  readonly position: number | null
  readonly message: string
}> {}

/** A row that a lenient entry passed over. */
export interface RejectedRow {
  readonly position: number
  readonly reason: string
  readonly text: string
}

export interface DecodedFile extends DecodedBars {
  readonly rejected: ReadonlyArray<RejectedRow>
}

/** Rows between two turns of the event loop: about four milliseconds. */
const rowsPerTurn = 4096

/** Rejected rows that are kept; a file with more is not what its entry says it is. */
const maxRejected = 100_000

/** How a row of a payload is called in messages. */
export const labelOf = (params: FileParams, member: string | null, position: number): string =>
  params.decoding.format === "json"
    ? `item ${position} of ${fileOf(params, member)}`
    : `line ${position} of ${fileOf(params, member)}`

const fileOf = (params: FileParams, member: string | null): string =>
  member === null ? params.path : `${member} in ${params.path}`

/** The text behind a payload. */
export const unpackFor = (payload: Uint8Array, params: FileParams) =>
  unpack(payload, params.member).pipe(
    Effect.mapError((error) => new DecodeFailure({ position: null, message: `${params.path}: ${error.message}` }))
  )

const stampsOf = (params: FileParams): Result.Result<RowStamps, string> =>
  Result.gen(function* () {
    const { timeframe, timestamp, zone } = params.decoding
    const clock = ZoneClock.make(zone)
    if (clock === null) return yield* Result.fail(`there is no zone ${zone}`)
    const dated = params.date === null ? null : PathPattern.parseDate(params.date)
    const midnight = dated?.unit === "day" ? PathPattern.localPeriod(dated.date, "day").start : null
    const reader = yield* Timestamp.make(timestamp, midnight)
    const period = dated === null ? null : periodOf(dated.date, dated.unit, clock, isIntraday(timeframe))
    return new RowStamps({ timeframe, reader, clock, zone, period })
  })

/** The bars of a payload that lie in the range. An empty payload has none. */
export const decodeFile = Effect.fnUntraced(function* (payload: Uint8Array, params: FileParams, range: TimeRange) {
  const collector = new BarCollector()
  const rejected: Array<RejectedRow> = []
  if (payload.length === 0) return { ...collector.finish(), rejected } satisfies DecodedFile
  const { bytes, member } = yield* unpackFor(payload, params)
  const fail = (position: number | null, message: string) =>
    new DecodeFailure({
      position,
      message: `${position === null ? fileOf(params, member) : labelOf(params, member, position)}: ${message}`
    })
  const stamps = stampsOf(params)
  if (Result.isFailure(stamps)) return yield* fail(null, stamps.failure)
  const { columns, records, width } = yield* openRecords(bytes, params.decoding).pipe(
    Effect.mapError((error) => fail(error.position, error.message))
  )
  const { allowNonPositivePrices, badRows, nulls, scale } = params.decoding
  const reader = new BarReader({
    columns,
    width,
    stamps: stamps.success,
    scale,
    nulls,
    rules: { allowNonPositivePrices },
    range
  })
  for (let rows = 1; records.next(); rows++) {
    const bar = reader.read(records)
    if (bar !== null) collector.push(bar, records.position)
    else if (reader.problem !== null) {
      if (badRows === "fail" || records.fatal) return yield* fail(records.position, reader.problem)
      rejected.push({ position: records.position, reason: reader.problem, text: records.excerpt() })
      if (rejected.length > maxRejected) {
        return yield* fail(
          records.position,
          `more than ${maxRejected} rows are bad, the last because ${reader.problem}`
        )
      }
    }
    if (rows % rowsPerTurn === 0) yield* Effect.yieldNow
  }
  return { ...collector.finish(), rejected } satisfies DecodedFile
})
