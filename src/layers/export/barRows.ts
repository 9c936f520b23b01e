/** Bars as an export has them. */
import { type Bar, sameValues } from "../../domain/Bar.ts"
import { rowBytes, rowsHeader } from "../../domain/rowBytes.ts"
import { codecOf } from "./codecOf.ts"
import type { RowKind } from "./RowKind.ts"

const fields = ["open", "high", "low", "close", "volume", "vwap", "count"] as const

/** `series` is the canonical text of their key. */
export const barRows = (series: string): RowKind<Bar> => ({
  codec: (format, lineage) => codecOf(format, lineage, series),
  hashHeader: rowsHeader,
  hashBytes: rowBytes,
  millis: ({ ts }) => ts,
  follows: ({ ts }, before) => ts > before.ts,
  keyOf: ({ ts }) => String(ts),
  difference: (row, other) => {
    if (sameValues(row, other)) return null
    const field = fields.find((name) => row[name] !== other[name]) ?? "close"
    return { field, is: String(row[field]), was: String(other[field]) }
  },
  among: ({ bars }) => bars,
  numbered: false
})
