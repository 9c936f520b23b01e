import { Schema } from "effect"
import { Adjustment, SessionScope } from "../../../domain/SeriesKey.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import { QuotaWindow } from "../../../domain/VendorLimits.ts"
import { ByteCount, Millis } from "../../config/units.ts"
import { decodingFields, type RowDecoding } from "../records/RowDecoding.ts"
import type { PathPattern } from "./PathPattern.ts"

const Text = Schema.NonEmptyString

/** What an entry may say; at the vendor it is said for all entries, and an entry overrules it. */
const entryFields = {
  root: Schema.optionalKey(Text.annotate({ expected: "a directory; relative ones are relative to this file" })),
  path: Schema.optionalKey(Text.annotate({ expected: "a path below root, such as daily/{symbol}.csv" })),
  member: Schema.optionalKey(Text.annotate({ expected: "the name of a file inside the zip, such as {symbol}.csv" })),
  ...decodingFields,
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
  symbolCase: Schema.optionalKey(Schema.Literals(["upper", "lower", "exact"]))
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
  readonly decoding: RowDecoding
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
