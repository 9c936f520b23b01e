import { Result } from "effect"
import { type Bar, defectOf as barDefect } from "../../domain/Bar.ts"
import { type AnyRecord, defectOf } from "../../domain/records/RecordKind.ts"
import { canonical } from "../../domain/SeriesKey.ts"
import { type ImportedRows, type ImportKind, RowRefused } from "../../services/Imports.ts"
import type { DecodedSegment, DecodedSeries } from "./decodeSegment.ts"

/** Why a row that a program has cannot be accepted; null when it can. */
export const rowDefect = (
  kind: ImportKind,
  { series, row }: { readonly series: ImportedRows["series"]; readonly row: Bar | AnyRecord }
): string | null => {
  if (series.kind !== kind) return `a row of kind ${kind} in a series of kind ${series.kind}`
  return kind === "bar" ? barDefect(row as Bar, { allowNonPositivePrices: true }) : defectOf(kind, row as AnyRecord)
}

/** Rows as the lines of a segment that they are written as: one after the other, the batches in their order. */
export const decodedRows = (
  kind: ImportKind,
  batches: ReadonlyArray<ImportedRows>
): Result.Result<DecodedSegment, RowRefused> => {
  const bySeries = new Map<string, DecodedSeries>()
  let line = 0
  for (const { rows, series } of batches) {
    const key = canonical(series)
    const group = bySeries.get(key) ?? { series, bars: [], records: [], positions: [] }
    bySeries.set(key, group)
    for (const row of rows) {
      line++
      const defect = rowDefect(kind, { series, row })
      if (defect !== null) return Result.fail(new RowRefused({ line, message: defect }))
      if (kind === "bar") group.bars.push(row as Bar)
      else group.records.push(row as AnyRecord)
      group.positions.push(line)
    }
  }
  const series = [...bySeries.values()].filter(({ positions }) => positions.length > 0)
  return Result.succeed({ series, rows: line, rejected: [] })
}
