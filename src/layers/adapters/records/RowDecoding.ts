import { Schema } from "effect"
import { Timeframe } from "../../../domain/Timeframe.ts"

/** A column's name as the header, the header list or the JSON key spells it. */
const ColumnName = Schema.NonEmptyString.annotate({ expected: "the name of a column" })
const OptionalColumn = Schema.NullOr(ColumnName).annotate({
  expected: "the name of a column, or null to leave it unread"
})

/** Where each field of a bar comes from. A field that is not named comes from the column of its own name. */
const Columns = Schema.Struct({
  ts: Schema.optionalKey(ColumnName),
  open: Schema.optionalKey(ColumnName),
  high: Schema.optionalKey(ColumnName),
  low: Schema.optionalKey(ColumnName),
  close: Schema.optionalKey(ColumnName),
  volume: Schema.optionalKey(OptionalColumn),
  vwap: Schema.optionalKey(OptionalColumn),
  count: Schema.optionalKey(OptionalColumn)
})

const RowFormat = Schema.Literals(["csv", "ndjson", "json"])

const RowShape = Schema.Literals(["rows", "columns"]).annotate({ expected: '"rows" or "columns"' })

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
 * All that turns a text into bars. It is part of every request (and so of its identity): another mapping is another request,
 * and an archived answer is always read with the mapping that it was asked with.
 */
export const RowDecoding = Schema.Struct({
  format: RowFormat,
  /** JSON pointer (RFC 6901) to the array of rows; "" is the document itself. */
  pointer: Schema.String,
  /** `columns`: the pointer names an object of arrays, one a column, as long as each other. Absent: rows. Only of JSON. */
  shape: Schema.optionalKey(RowShape),
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
export interface RowDecoding extends Schema.Schema.Type<typeof RowDecoding> {}

/** How a configuration spells a decoding; what it leaves out is filled in by `resolveDecoding`. */
export const decodingFields = {
  format: Schema.optionalKey(RowFormat.annotate({ expected: '"csv", "ndjson" or "json"' })),
  pointer: Schema.optionalKey(
    Schema.String.annotate({ expected: "a JSON pointer to the array of rows, such as /data/rows" })
  ),
  header: Schema.optionalKey(Header),
  columns: Schema.optionalKey(Columns),
  delimiter: Schema.optionalKey(Delimiter),
  timestamp: Schema.optionalKey(
    Schema.NonEmptyString.annotate({
      expected: 'iso, epoch-millis, millis-of-day or a pattern such as "yyyyMMdd HH:mm"'
    })
  ),
  zone: Schema.optionalKey(
    Schema.NonEmptyString.annotate({ expected: "an IANA zone, such as America/New_York or UTC" })
  ),
  scale: Schema.optionalKey(Scale),
  nulls: Schema.optionalKey(Schema.Array(Schema.String).annotate({ expected: "a list of texts that mean no value" })),
  badRows: Schema.optionalKey(BadRows),
  allowNonPositivePrices: Schema.optionalKey(Schema.Boolean.annotate({ expected: "true or false" }))
}

/** {@link decodingFields} with the shape of JSON, for vendors that have it. */
export const shapedFields = { ...decodingFields, shape: Schema.optionalKey(RowShape) }

const DecodingSpec = Schema.Struct(shapedFields)
type DecodingSpec = typeof DecodingSpec.Type

const defaultNulls: ReadonlyArray<string> = ["", "null", "NULL", "NaN", "nan", "N/A"]

/** A decoding with nothing left out. Rows in columns are the only ones that say their shape, so that others keep their identity. */
export const resolveDecoding = (spec: DecodingSpec, timeframe: Timeframe): RowDecoding => ({
  format: spec.format ?? "csv",
  pointer: spec.pointer ?? "",
  ...(spec.shape === "columns" ? { shape: spec.shape } : {}),
  header: spec.header ?? "line",
  columns: spec.columns ?? {},
  delimiter: spec.delimiter ?? ",",
  timestamp: spec.timestamp ?? "iso",
  zone: spec.zone ?? "UTC",
  scale: spec.scale ?? 1,
  nulls: spec.nulls ?? defaultNulls,
  badRows: spec.badRows ?? "fail",
  allowNonPositivePrices: spec.allowNonPositivePrices ?? false,
  timeframe
})
