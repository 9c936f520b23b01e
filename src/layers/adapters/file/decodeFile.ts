/** From the bytes of a file to bars. */
import { Effect } from "effect"
import { isIntraday } from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { type DecodedRows, DecodeFailure, decodeRows } from "../records/decodeRows.ts"
import { type FileParams, periodOf } from "./FileRequest.ts"
import * as PathPattern from "./PathPattern.ts"
import { unpack } from "./unpack.ts"

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

/** The bars of a payload that lie in the range. An empty payload has none. */
export const decodeFile = Effect.fnUntraced(function* (payload: Uint8Array, params: FileParams, range: TimeRange) {
  if (payload.length === 0)
    return { bars: [], positions: [], rejected: [], read: 0, descends: false } satisfies DecodedRows
  const { bytes, member } = yield* unpackFor(payload, params)
  const { decoding } = params
  const dated = params.date === null ? null : PathPattern.parseDate(params.date)
  return yield* decodeRows(bytes, {
    decoding,
    range,
    midnight: dated?.unit === "day" ? PathPattern.localPeriod(dated.date, "day").start : null,
    period: (clock) =>
      dated === null ? null : periodOf(dated.date, dated.unit, clock, isIntraday(decoding.timeframe)),
    label: (position) => (position === null ? fileOf(params, member) : labelOf(params, member, position))
  })
})
