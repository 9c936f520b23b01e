import { Data, Effect, Result } from "effect"
import { nearest } from "../../config/nearest.ts"
import { CsvRecords } from "./CsvRecords.ts"
import {
  columnarRecords,
  JsonRecords,
  jsonColumns,
  jsonDocument,
  jsonRows,
  jsonSource,
  ndjsonSource
} from "./JsonRecords.ts"
import { type BarField, barFields, type ColumnIndex, type Records } from "./Records.ts"
import type { RowDecoding } from "./RowDecoding.ts"

/** The text as a whole cannot be read as rows; `position` is the line at fault where there is one. */
export class NoRecords extends Data.TaggedError("NoRecords")<{
  readonly position: number | null
  readonly message: string
}> {}

export interface OpenRecords {
  readonly records: Records
  readonly columns: ColumnIndex
  readonly width: number | null
}

const required: ReadonlySet<string> = new Set(["ts", "open", "high", "low", "close"])

/** As many columns as a message can show; what is no table has names of any length. */
const shown = (names: ReadonlyArray<string>): string => {
  const some = names.slice(0, 20).map((name) => (name.length > 40 ? `${name.slice(0, 37)}...` : name))
  return names.length > 20 ? `${some.join(", ")} and ${names.length - 20} more` : some.join(", ")
}

const cannotRead = (message: string) => Result.fail(new NoRecords({ position: null, message }))

/**
 * Why the columns leave it open which of them a field is, or null: two columns have its name, or an optional field would stay
 * empty because its column is spelt in other letters (`Volume`).
 */
const doubtOf = (field: BarField, named: string | null | undefined, names: ReadonlyArray<string>): string | null => {
  if (named === null) return null
  const name = named ?? field
  const at = names.indexOf(name)
  if (at !== names.lastIndexOf(name))
    return `there are several columns ${JSON.stringify(name)}; list the names in header`
  const other =
    at >= 0 || named !== undefined || required.has(field) ? undefined : names.find((one) => one.toLowerCase() === name)
  return other === undefined
    ? null
    : `is the column ${JSON.stringify(other)} the ${field}? say so in columns: { ${field}: ${other} }, or { ${field}: null }`
}

/** The columns of the fields: those that the mapping names, else the column of the field's own name where there is one. */
const columnsIn = (names: ReadonlyArray<string>, decoding: RowDecoding): Result.Result<ColumnIndex, NoRecords> => {
  const index: Record<string, number> = {}
  for (const field of barFields) {
    const named = decoding.columns[field]
    const doubt = doubtOf(field, named, names)
    if (doubt !== null) return cannotRead(doubt)
    const at = named === null ? -1 : names.indexOf(named ?? field)
    if (at < 0 && (required.has(field) || typeof named === "string")) {
      const meant = nearest(named ?? field, names)
      return cannotRead(
        `there is no column ${JSON.stringify(named ?? field)} for ${field}; the columns are ${shown(names)}${
          meant === null ? "" : `; did you mean ${meant}?`
        }`
      )
    }
    index[field] = at
  }
  const { ts = -1, open = -1, high = -1, low = -1, close = -1, volume = -1, vwap = -1, count = -1 } = index
  return Result.succeed({ ts, open, high, low, close, volume, vwap, count })
}

const carriageReturn = 13
const newline = 10

/** Lines that end in CR alone would be read as one line, and a header that never ends as a file without rows. */
const endsInReturns = (bytes: Uint8Array): boolean => {
  const first = bytes.indexOf(carriageReturn)
  return first >= 0 && first < bytes.length - 1 && !bytes.includes(newline)
}

const openCsv = (bytes: Uint8Array, decoding: RowDecoding): Result.Result<OpenRecords, NoRecords> => {
  if (endsInReturns(bytes)) return cannotRead("the lines end in CR alone; save the file with LF or CRLF")
  const records = new CsvRecords(bytes, decoding.delimiter)
  if (decoding.header !== "line") {
    const width = decoding.header.length
    return Result.map(columnsIn(decoding.header, decoding), (columns) => ({ records, columns, width }))
  }
  if (!records.next()) {
    return cannotRead("the file is empty; its first line should name the columns")
  }
  if (records.problem !== null) {
    return Result.fail(new NoRecords({ position: records.position, message: records.problem }))
  }
  const names = Array.from({ length: records.fields }, (_, field) => records.text(field).trim())
  return Result.map(columnsIn(names, decoding), (columns) => ({ records, columns, width: names.length }))
}

const openJson = (bytes: Uint8Array, decoding: RowDecoding): Result.Result<OpenRecords, NoRecords> =>
  Result.mapBoth(
    decoding.shape === "columns"
      ? Result.flatMap(jsonDocument(bytes), (document) => columnarRecords(document, decoding))
      : Result.map(jsonRows(bytes, decoding.pointer), (rows) => new JsonRecords(jsonSource(rows), decoding)),
    {
      onFailure: (message) => new NoRecords({ position: null, message }),
      onSuccess: (records) => ({ records, columns: jsonColumns, width: null })
    }
  )

/** The rows of a text in the format of its entry. */
export const openRecords = (bytes: Uint8Array, decoding: RowDecoding): Effect.Effect<OpenRecords, NoRecords> => {
  switch (decoding.format) {
    case "csv":
      return Effect.fromResult(openCsv(bytes, decoding))
    case "json":
      return Effect.fromResult(openJson(bytes, decoding))
    case "ndjson":
      return Effect.succeed({
        records: new JsonRecords(ndjsonSource(bytes), decoding),
        columns: jsonColumns,
        width: null
      })
  }
}
