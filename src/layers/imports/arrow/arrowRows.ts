/** The rows of a segment of Arrow IPC, as those of a text. */
import { Result } from "effect"
import { iso } from "../../../domain/TimeRange.ts"
import type { ImportSpec } from "../../../services/Imports.ts"
import { type Given, GivenInstant, Refused } from "../cells.ts"
import type { SourceRows } from "../SourceRows.ts"
import { arrowColumns } from "./arrowColumns.ts"
import { columnReader, isWhole, type ReadValue } from "./columnReader.ts"
import { readBatch } from "./readBatch.ts"

/** For reject files. */
const shown = (value: Given) => {
  if (value instanceof Refused) return `(${value.why})`
  if (typeof value === "number" && !Number.isFinite(value)) return String(value)
  if (!(value instanceof GivenInstant)) return value
  const { millis, nanos } = value.instant
  const rest = nanos === 0 ? "" : String(nanos).padStart(6, "0")
  return Number.isNaN(new Date(millis).getTime()) ? String(millis) : `${iso(millis).slice(0, -1)}${rest}Z`
}

export const arrowRows = (spec: ImportSpec, bytes: Uint8Array): Result.Result<SourceRows, string> =>
  Result.gen(function* () {
    const batch = yield* readBatch(bytes)
    const columns = yield* arrowColumns(spec, batch.schema)
    const { children, length } = batch.data
    const readers: Array<ReadValue> = []
    for (const { index, name, want } of columns) {
      const data = children[index]
      if (data === undefined || data.length !== length || !isWhole(data)) {
        return yield* Result.fail(`the column ${JSON.stringify(name)} is damaged; write the file again`)
      }
      const reader = yield* Result.mapError(
        Result.try(() => columnReader(data, want)),
        () => `the column ${JSON.stringify(name)} is damaged; write the file again`
      )
      readers.push(reader)
    }
    const takes = columns.map(({ target }, at) => ({ target, read: readers[at] ?? (() => null) }))
    let row = -1
    const next: SourceRows = () => {
      row++
      if (row >= length) return null
      return {
        position: row + 1,
        problem: null,
        fatal: false,
        each: (take) => {
          for (const { read, target } of takes) take(target, read(row))
        },
        text: () =>
          JSON.stringify(Object.fromEntries(columns.map(({ name }, at) => [name, shown(readers[at]?.(row) ?? null)])))
      }
    }
    return next
  })

/** The row at a position (from 1) of a segment, as JSON; what cannot be read is told in its place. */
export const arrowRowText = (spec: ImportSpec, bytes: Uint8Array, position: number): string =>
  Result.match(arrowRows(spec, bytes), {
    onFailure: (problem) => problem,
    onSuccess: (next) => {
      for (;;) {
        const row = next()
        if (row === null) return "there is no such row"
        if (row.position === position) return row.text()
      }
    }
  })
