/** Rows that a client sends as JSON objects, with the fields that `tapestry ingest` reads, as rows of their series. */
import { Effect, type Schema } from "effect"
import type { BatchRow } from "../../services/BatchProcessor.ts"
import type { ImportDefaults, ImportKind, ImportsError } from "../../services/Imports.ts"
import { decodeSegment } from "../imports/decodeSegment.ts"
import { plainSpec } from "../imports/plainSpec.ts"

export interface GivenRows {
  readonly kind: ImportKind
  readonly rows: ReadonlyArray<{ readonly [field: string]: Schema.Json }>
  /** What rows belong to that do not say so themselves. */
  readonly defaults?: Partial<ImportDefaults> | undefined
}

/** A row, or why it cannot be one; `index` is its place among those given. */
export type RowOf =
  | { readonly index: number; readonly row: BatchRow }
  | { readonly index: number; readonly refused: string }

const encoder = new TextEncoder()

/** In the order of the places. */
export const rowsOf = Effect.fnUntraced(function* ({
  defaults,
  kind,
  rows
}: GivenRows): Effect.fn.Return<ReadonlyArray<RowOf>, ImportsError> {
  const spec = {
    ...plainSpec,
    name: "rows",
    kind,
    defaults: { ...plainSpec.defaults, ...defaults },
    symbolCase: "upper",
    rejects: "skip"
  } as const
  // No line is empty, so that the place of a row is its line.
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("")
  const decoded = yield* decodeSegment(spec, encoder.encode(lines), 1)
  const found: Array<RowOf> = decoded.rejected.map(({ line, reason }) => ({ index: line - 1, refused: reason }))
  for (const { bars, positions, records, series } of decoded.series) {
    for (const [at, row] of (kind === "bar" ? bars : records).entries()) {
      found.push({ index: (positions[at] ?? 0) - 1, row: { series, row } })
    }
  }
  return found.sort((a, b) => a.index - b.index)
})
