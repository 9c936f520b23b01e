/** Rows that a program has, as the lines of a segment that they are written as. */
import { Result } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import { type AnyRecord, defectOf } from "../../domain/records/RecordKind.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import { type ImportedRows, type ImportKind, RowRefused } from "../../services/Imports.ts"
import { barDefectIn } from "./barDefectIn.ts"
import type { DecodedSegment, DecodedSeries } from "./decodeSegment.ts"
import { plainSpec } from "./plainSpec.ts"
import { seriesResolver } from "./SeriesOfRow.ts"

/** Why a row cannot be accepted; null when it can. */
export type RowCheck = (row: { readonly series: SeriesKey; readonly row: Bar | AnyRecord }) => string | null

/**
 * A check of rows of a kind. A series that would be another one when the lines are read again is refused: a store that is made again from
 * the archive would have its rows elsewhere.
 */
export const rowCheck = (kind: ImportKind): RowCheck => {
  const resolve = seriesResolver({ kind, symbolCase: plainSpec.symbolCase })
  const known = new WeakMap<SeriesKey, string | null>()

  const lookAt = (series: SeriesKey): string | null => {
    if (series.kind !== kind) return `a row of kind ${kind} in a series of kind ${series.kind}`
    const resolved = resolve(series)
    if (Result.isFailure(resolved)) return resolved.failure
    const text = canonical(series)
    return resolved.success.text === text ? null : `no such series can be imported: ${text} is ${resolved.success.text}`
  }
  const seriesDefect = (series: SeriesKey): string | null => {
    const found = known.get(series)
    if (found !== undefined) return found
    const defect = lookAt(series)
    known.set(series, defect)
    return defect
  }
  return ({ row, series }) =>
    seriesDefect(series) ?? (kind === "bar" ? barDefectIn(series, row as Bar) : defectOf(kind, row as AnyRecord))
}

/** One after the other, the batches in their order. */
export const decodedRows = (
  kind: ImportKind,
  batches: ReadonlyArray<ImportedRows>
): Result.Result<DecodedSegment, RowRefused> => {
  const check = rowCheck(kind)
  const bySeries = new Map<string, DecodedSeries>()
  let line = 0
  for (const { rows, series } of batches) {
    const key = canonical(series)
    const group = bySeries.get(key) ?? { series, bars: [], records: [], positions: [] }
    bySeries.set(key, group)
    for (const row of rows) {
      line++
      const defect = check({ series, row })
      if (defect !== null) return Result.fail(new RowRefused({ line, message: defect }))
      if (kind === "bar") group.bars.push(row as Bar)
      else group.records.push(row as AnyRecord)
      group.positions.push(line)
    }
  }
  const series = [...bySeries.values()].filter(({ positions }) => positions.length > 0)
  return Result.succeed({ series, rows: line, rejected: [] })
}
