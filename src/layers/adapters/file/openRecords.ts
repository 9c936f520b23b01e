import { Data, Effect, Result } from "effect"
import { nearest } from "../../config/nearest.ts"
import { CsvRecords } from "./CsvRecords.ts"
import type { FileDecoding } from "./FileCatalogue.ts"
import { JsonRecords, jsonColumns, jsonRows, jsonSource, ndjsonSource } from "./JsonRecords.ts"
import { barFields, type ColumnIndex, type Records } from "./Records.ts"

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

/** The columns of the fields: those that the mapping names, else the column of the field's own name where there is one. */
const columnsIn = (names: ReadonlyArray<string>, decoding: FileDecoding): Result.Result<ColumnIndex, NoRecords> => {
  const index: Record<string, number> = {}
  for (const field of barFields) {
    const named = decoding.columns[field]
    const at = named === null ? -1 : names.indexOf(named ?? field)
    if (at < 0 && (required.has(field) || typeof named === "string")) {
      const meant = nearest(named ?? field, names)
      return Result.fail(
        new NoRecords({
          position: null,
          message: `there is no column ${JSON.stringify(named ?? field)} for ${field}; the columns are ${names.join(", ")}${
            meant === null ? "" : `; did you mean ${meant}?`
          }`
        })
      )
    }
    index[field] = at
  }
  const { ts = -1, open = -1, high = -1, low = -1, close = -1, volume = -1, vwap = -1, count = -1 } = index
  return Result.succeed({ ts, open, high, low, close, volume, vwap, count })
}

const openCsv = (bytes: Uint8Array, decoding: FileDecoding): Result.Result<OpenRecords, NoRecords> => {
  const records = new CsvRecords(bytes, decoding.delimiter)
  if (decoding.header !== "line") {
    const width = decoding.header.length
    return Result.map(columnsIn(decoding.header, decoding), (columns) => ({ records, columns, width }))
  }
  if (!records.next()) {
    return Result.fail(
      new NoRecords({ position: null, message: "the file is empty; its first line should name the columns" })
    )
  }
  if (records.problem !== null) {
    return Result.fail(new NoRecords({ position: records.position, message: records.problem }))
  }
  const names = Array.from({ length: records.fields }, (_, field) => records.text(field).trim())
  return Result.map(columnsIn(names, decoding), (columns) => ({ records, columns, width: names.length }))
}

const openJson = (bytes: Uint8Array, decoding: FileDecoding): Result.Result<OpenRecords, NoRecords> =>
  Result.mapBoth(jsonRows(bytes, decoding.pointer), {
    onFailure: (message) => new NoRecords({ position: null, message }),
    onSuccess: (rows) => ({ records: new JsonRecords(jsonSource(rows), decoding), columns: jsonColumns, width: null })
  })

/** The rows of a text in the format of its entry. */
export const openRecords = (bytes: Uint8Array, decoding: FileDecoding): Effect.Effect<OpenRecords, NoRecords> => {
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
