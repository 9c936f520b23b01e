import type { Result } from "effect"
import type { Lineage } from "../../domain/Lineage.ts"

/** A row that is exported, and where it came from. */
export interface ExportedRow<Row> {
  readonly row: Row
  readonly lineage: Lineage
}

/** A row as a file has it; where it came from is null unless the export was made with lineage. */
export interface FileRow<Row> {
  readonly row: Row
  readonly response: number | null
  readonly position: number | null
}

/** A block that cannot be read: its row (from 0 in the block; null for the block as a whole) and what is wrong. */
export interface BadBlock {
  readonly row: number | null
  readonly what: string
}

/**
 * Rows to the bytes of a file and back, a block at a time. A file is `head`, the blocks in order, and `tail`. What `encode` gives is
 * the only text that `decode` takes for those rows.
 */
export interface RowCodec<Row> {
  /** A row is a line. */
  readonly isText: boolean
  readonly head: Uint8Array
  readonly encode: (rows: ReadonlyArray<ExportedRow<Row>>) => Uint8Array
  /** After the last block; a codec writes one file. */
  readonly tail: () => Uint8Array
  readonly decode: (block: Uint8Array) => Result.Result<ReadonlyArray<FileRow<Row>>, BadBlock>
  /** How the row of this number (from 0) is called in a message. */
  readonly rowName: (row: number) => string
}
