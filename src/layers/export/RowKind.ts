import type { Effect } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { AnyRecord } from "../../domain/records/RecordKind.ts"
import type { ExportFormat } from "./Manifest.ts"
import type { RowCodec } from "./RowCodec.ts"

/** What an export has to know of the rows of a series. */
export interface RowKind<Row> {
  readonly codec: (format: ExportFormat, lineage: boolean) => Effect.Effect<RowCodec<Row>>
  /** What the hash over rows begins with, and the bytes of some of them. */
  readonly hashHeader: Uint8Array
  readonly hashBytes: (rows: ReadonlyArray<Row>) => Uint8Array
  /** The millisecond that a row is stamped with, or lies in. */
  readonly millis: (row: Row) => number
  /** Whether a row may stand behind another one. */
  readonly follows: (row: Row, before: Row) => boolean
  /** What tells a row from the others of its answer. */
  readonly keyOf: (row: Row) => string
  /** A field in which two rows differ, and what each has there; null where they are the same. */
  readonly difference: (
    row: Row,
    other: Row
  ) => { readonly field: string; readonly is: string; readonly was: string } | null
  /** The rows of this kind among those that an answer decodes to. */
  readonly among: (decoded: {
    readonly bars: ReadonlyArray<Bar>
    readonly records: ReadonlyArray<AnyRecord>
  }) => ReadonlyArray<Row>
  /** Several rows may have one stamp, so that runs of a receipt are told apart by the number of their first row. */
  readonly numbered: boolean
}
