/** Records of a series as an export has them: files that `ingest` takes back, each row with the series that it is of. */
import { Effect } from "effect"
import {
  type AnyRecord,
  cellOf,
  identityOf,
  instantOf,
  type RecordKind,
  type RecordSeries,
  recordKinds
} from "../../domain/records/RecordKind.ts"
import { recordBytes, recordsHeader } from "../../domain/records/recordBytes.ts"
import type { RowKind } from "./RowKind.ts"

const load = {
  text: Effect.promise(() => import("./RecordTextRows.ts")),
  arrow: Effect.promise(() => import("./RecordArrowRows.ts"))
}

const stampOf = (row: AnyRecord): string => String("tsNs" in row ? row.tsNs : row.ts)

export const recordRows = (series: RecordSeries): RowKind<AnyRecord> => {
  const { columns } = recordKinds[series.kind]
  return {
    codec: (format, lineage) =>
      format === "arrow"
        ? Effect.map(load.arrow, ({ arrow }) => arrow(series, lineage))
        : Effect.map(load.text, ({ text }) => text(series, format, lineage)),
    hashHeader: recordsHeader,
    hashBytes: (rows) => recordBytes(series.kind, rows),
    millis: (row) => instantOf(row).millis,
    follows: (row, before) => {
      const [now, then] = [instantOf(row), instantOf(before)]
      return now.millis === then.millis ? now.nanos >= then.nanos : now.millis > then.millis
    },
    keyOf: (row) => `${stampOf(row)} ${identityOf<RecordKind>(series.kind, row)}`,
    difference: (row, other) => {
      if (stampOf(row) !== stampOf(other)) return { field: "stamp", is: stampOf(row), was: stampOf(other) }
      for (const column of columns) {
        const [is, was] = [JSON.stringify(cellOf(row, column)), JSON.stringify(cellOf(other, column))]
        if (is !== was) return { field: column.name, is, was }
      }
      return null
    },
    among: ({ records }) => records,
    numbered: true
  }
}
