import { Schema } from "effect"
import { Adjustment, SessionScope } from "../../../domain/SeriesKey.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import { QuotaWindow } from "../../../domain/VendorLimits.ts"
import { ByteCount, Millis } from "../../config/units.ts"
import type { PathPattern } from "./PathPattern.ts"

/** A column's name as the header, the header list or the JSON key spells it. */
const ColumnName = Schema.NonEmptyString.annotate({ expected: "the name of a column" })
const OptionalColumn = Schema.NullOr(ColumnName).annotate({
  expected: "the name of a column, or null to leave it unread"
})

/** Where each field of a bar comes from. A field that is not named comes from the column of its own name. */
export const Columns = Schema.Struct({
  ts: Schema.optionalKey(ColumnName),
  open: Schema.optionalKey(ColumnName),
  high: Schema.optionalKey(ColumnName),
  low: Schema.optionalKey(ColumnName),
  close: Schema.optionalKey(ColumnName),
  volume: Schema.optionalKey(OptionalColumn),
  vwap: Schema.optionalKey(OptionalColumn),
  count: Schema.optionalKey(OptionalColumn)
})

export const FileFormat = Schema.Literals(["csv", "ndjson", "json"])

const Header = Schema.Union([Schema.Literal("line"), Schema.NonEmptyArray(Schema.String)]).annotate({
  expected: 'the word "line" (the first line names the columns) or a list of column names (the file has no such line)'
})
const Delimiter = Schema.String.check(
  Schema.makeFilter((text) => (text.length === 1 && text !== '"' && text !== "\n" && text.charCodeAt(0) < 127) || false)
).annotate({ expected: 'one ASCII character, such as "," ";" or "\\t"' })
const Scale = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000_000 })).annotate({
  expected: "a whole number from 1 that prices are divided by, such as 10000"
})
const BadRows = Schema.Literals(["fail", "skip"]).annotate({ expected: '"fail" or "skip"' })

/**
 * All that turns bytes into bars. It is part of every request (and so of its identity): another mapping is another request,
 * and an archived answer is always read with the mapping that it was asked with.
 */
export const FileDecoding = Schema.Struct({
  format: FileFormat,
  /** JSON pointer (RFC 6901) to the array of rows; "" is the document itself. */
  pointer: Schema.String,
  header: Header,
  columns: Columns,
  delimiter: Delimiter,
  timestamp: Schema.String,
  zone: Schema.String,
  scale: Scale,
  nulls: Schema.Array(Schema.String),
  badRows: BadRows,
  allowNonPositivePrices: Schema.Boolean,
  timeframe: Timeframe
})
export interface FileDecoding extends Schema.Schema.Type<typeof FileDecoding> {}

const Text = Schema.NonEmptyString

/** What an entry may say; at the vendor it is said for all entries, and an entry overrules it. */
const entryFields = {
  root: Schema.optionalKey(Text.annotate({ expected: "a directory; relative ones are relative to this file" })),
  path: Schema.optionalKey(Text.annotate({ expected: "a path below root, such as daily/{symbol}.csv" })),
  member: Schema.optionalKey(Text.annotate({ expected: "the name of a file inside the zip, such as {symbol}.csv" })),
  format: Schema.optionalKey(FileFormat.annotate({ expected: '"csv", "ndjson" or "json"' })),
  pointer: Schema.optionalKey(
    Schema.String.annotate({ expected: "a JSON pointer to the array of rows, such as /data/rows" })
  ),
  header: Schema.optionalKey(Header),
  columns: Schema.optionalKey(Columns),
  delimiter: Schema.optionalKey(Delimiter),
  timestamp: Schema.optionalKey(
    Text.annotate({ expected: 'iso, epoch-millis, millis-of-day or a pattern such as "yyyyMMdd HH:mm"' })
  ),
  zone: Schema.optionalKey(Text.annotate({ expected: "an IANA zone, such as America/New_York or UTC" })),
  scale: Schema.optionalKey(Scale),
  nulls: Schema.optionalKey(Schema.Array(Schema.String).annotate({ expected: "a list of texts that mean no value" })),
  badRows: Schema.optionalKey(BadRows),
  rejects: Schema.optionalKey(Text.annotate({ expected: "a directory for the rows that were skipped" })),
  timeframe: Schema.optionalKey(Timeframe.annotate({ expected: `one of ${Timeframe.literals.join(" ")}` })),
  price: Schema.optionalKey(Schema.Literals(["trade", "bid", "ask", "mid"])),
  session: Schema.optionalKey(SessionScope),
  currency: Schema.optionalKey(Schema.NullOr(Text).annotate({ expected: "a currency code, such as USD, or null" })),
  adjustment: Schema.optionalKey(Adjustment),
  dataset: Schema.optionalKey(Schema.NullOr(Text).annotate({ expected: "a name, or null" })),
  calendar: Schema.optionalKey(
    Schema.NullOr(Text).annotate({ expected: "the name of a trading calendar, such as XNYS, or null" })
  ),
  symbols: Schema.optionalKey(Schema.NonEmptyArray(Text).annotate({ expected: "a list of symbols" })),
  symbolCase: Schema.optionalKey(Schema.Literals(["upper", "lower", "exact"])),
  allowNonPositivePrices: Schema.optionalKey(Schema.Boolean.annotate({ expected: "true or false" }))
}

export const FileEntrySpec = Schema.Struct(entryFields)
export interface FileEntrySpec extends Schema.Schema.Type<typeof FileEntrySpec> {}

const Count = Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "a whole number above 0" })

/** A vendor of `adapter: file` as tapestry.yaml has it. */
export const FileVendorSpec = Schema.Struct({
  adapter: Schema.Literal("file").annotate({ expected: '"file", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Text.annotate({ expected: "the name of an account" })),
  maxFileSize: Schema.optionalKey(ByteCount),
  finalityDelay: Schema.optionalKey(Millis),
  recheckAfter: Schema.optionalKey(Schema.NullOr(Millis)),
  quota: Schema.optionalKey(
    Schema.Struct({
      concurrency: Schema.optionalKey(Count),
      maxInFlight: Schema.optionalKey(Count),
      windows: Schema.optionalKey(Schema.Array(QuotaWindow))
    })
  ),
  entries: Schema.optionalKey(
    Schema.Record(Schema.String, FileEntrySpec).annotate({ expected: "a mapping of entry names" })
  ),
  ...entryFields
})
export interface FileVendorSpec extends Schema.Schema.Type<typeof FileVendorSpec> {}

/** One kind of file of a vendor, checked and with nothing left out. `root` and `rejects` are absolute. */
export interface FileEntry {
  readonly name: string
  readonly root: string
  readonly path: PathPattern
  readonly member: PathPattern | null
  readonly symbols: ReadonlyArray<string> | null
  readonly symbolCase: "upper" | "lower" | "exact"
  readonly decoding: FileDecoding
  readonly dataset: string | null
  readonly price: "trade" | "bid" | "ask" | "mid"
  readonly session: SessionScope
  readonly currency: string | null
  readonly adjustment: Adjustment
  /** The trading calendar of its series; null: none. */
  readonly calendar: string | null
  /** Where skipped rows are written down; null: below the data directory. */
  readonly rejects: string | null
}

/** A vendor of files, checked. Sizes in bytes, durations in milliseconds. */
export interface FileVendor {
  readonly adapter: "file"
  readonly name: string
  readonly description: string
  readonly account: string
  readonly entries: ReadonlyArray<FileEntry>
  readonly maxFileSize: number
  readonly finalityDelay: number
  /** The calendar of entries that name none. */
  readonly calendar: string | null
  readonly recheckAfter: number | null
  readonly concurrency: number
  readonly maxInFlight: number | null
  readonly windows: ReadonlyArray<QuotaWindow>
}
