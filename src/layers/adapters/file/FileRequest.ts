import { Option, Schema } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { isIntraday } from "../../../domain/Timeframe.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import type { ZoneClock } from "../../../domain/ZoneClock.ts"
import * as Zone from "../../../domain/ZoneClock.ts"
import type { Decoding, VendorRequest } from "../../../services/Adapter.ts"
import { RowDecoding } from "../records/RowDecoding.ts"
import type { FileEntry } from "./FileCatalogue.ts"
import * as PathPattern from "./PathPattern.ts"
import { spellings } from "./symbols.ts"

/** The parameters of a request: which file, which part of it, and all that reading it depends on. */
export const FileParams = Schema.Struct({
  entry: Schema.String,
  symbol: Schema.String,
  /** Relative to the entry's root. */
  path: Schema.String,
  /** The file inside the zip; null: the only one. */
  member: Schema.NullOr(Schema.String),
  /** The date in the path (`2013-10-07`, `2013-10`, `2013`); null where it has none. */
  date: Schema.NullOr(Schema.String),
  start: Schema.String,
  end: Schema.String,
  decoding: RowDecoding
})
export interface FileParams extends Schema.Schema.Type<typeof FileParams> {}

const encodeParams = Schema.encodeSync(Schema.toCodecJson(FileParams))
const decodeParams = Schema.decodeUnknownOption(Schema.toCodecJson(FileParams))

/** The parameters of a request of this adapter; none when it is not one. */
export const paramsOf = (request: Decoding["request"]): Option.Option<FileParams> =>
  request.kind === "bars" ? decodeParams(request.params) : Option.none()

const localOf = (entry: FileEntry, clock: ZoneClock, instant: number): number =>
  isIntraday(entry.decoding.timeframe) ? instant + clock.offsetAt(instant) : instant

/** The instants of the file for a date: what its stamps may be, and what one request for it may span. */
export const periodOf = (
  date: PathPattern.PathDate,
  unit: PathPattern.PathUnit,
  clock: ZoneClock,
  intraday: boolean
): TimeRange => {
  const local = PathPattern.localPeriod(date, unit)
  return intraday ? { start: clock.first(local.start), end: clock.first(local.end) } : local
}

/** The request for a range that lies in one file; null when it does not, or when the path cannot be filled. */
export const requestFor = (entry: FileEntry, series: SeriesKey, range: TimeRange): VendorRequest | null => {
  const clock = Zone.make(entry.decoding.zone)
  if (clock === null) return null
  const unit = entry.path.unit
  let date: PathPattern.PathDate | null = null
  if (unit !== null) {
    date = PathPattern.dateOf(localOf(entry, clock, range.start), unit)
    if (range.end > periodOf(date, unit, clock, isIntraday(entry.decoding.timeframe)).end) return null
  }
  const values = { symbol: spellings(entry, series.symbol), date }
  const path = PathPattern.fill(entry.path, values)
  const member = entry.member === null ? null : PathPattern.fill(entry.member, values)
  if (path === null || (entry.member !== null && member === null)) return null
  const params: FileParams = {
    entry: entry.name,
    symbol: series.symbol,
    path,
    member,
    date: unit === null || date === null ? null : PathPattern.formatDate(date, unit),
    start: new Date(range.start).toISOString(),
    end: new Date(range.end).toISOString(),
    decoding: entry.decoding
  }
  return { kind: "bars", method: "GET", params: encodeParams(params), body: null, weight: 1, keys: {} }
}
