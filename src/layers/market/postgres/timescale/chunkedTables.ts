/** The tables that TimescaleDB cuts into chunks by `ts`: those of rows, and those of revisions. */
import { tableOf } from "../../records/recordCells.ts"
import { baseSchema } from "./baseSchema.ts"

export interface ChunkedTable {
  readonly table: string
  /** What a chunk spans unless somebody says otherwise; see docs/production.md for what it is weighed against. */
  readonly interval: string
  /** How rows of a generation lie in a compressed batch. */
  readonly order: string
}

const records = (kind: keyof typeof tableOf, interval: string): ChunkedTable => ({
  table: tableOf[kind],
  interval,
  order: "ts, ns, identity"
})

export const chunkedTables: ReadonlyArray<ChunkedTable> = [
  { table: "bars", interval: "30 days", order: "ts" },
  { table: "revisions", interval: "90 days", order: "ts, applied" },
  records("trade", "7 days"),
  records("quote", "7 days"),
  records("statistic", "30 days"),
  records("fundamental", "365 days"),
  records("news", "90 days"),
  records("option", "7 days"),
  records("signal", "30 days"),
  { table: "record_revisions", interval: "90 days", order: "ts, ns, identity, applied" }
]

/** A generation is one series of one tenant: whoever reads by either finds its batches without opening another one. */
export const segmentBy = "generation, tenant"

export const qualified = (table: string): string => `${baseSchema}.${table}`
