/**
 * What the steps of a commit of records read and write of a generation, whatever the database.
 *
 * SQLite reads and writes at once (SqliteRecordRows.ts); PostgreSQL reads a stretch beforehand and writes its changes afterwards
 * (../postgres/records/RecordWindow.ts). So of one identity everything is read before anything is written.
 */
import type { KnowledgeKey } from "../KnowledgeKey.ts"
import type { Cells, RowKey } from "./recordCells.ts"

/** What an answer says of an identity; `cells` is null where it says that there is no such row. `applied` is an id of that table. */
export interface Said {
  readonly applied: number
  readonly cells: Cells | null
  readonly position: number
}

export interface StoredRow extends Said {
  readonly cells: Cells
}

/** A value that gave way, how (see RevisionKind), and to whom. */
export interface PastRow extends StoredRow {
  readonly kind: number
  readonly supersededBy: number
}

/** Who repeated a row, and at which position of its payload. */
export interface Echo {
  readonly applied: number
  readonly position: number
}

/** A row and its position in the payload that repeated it. */
export interface EchoedRow extends RowKey {
  readonly position: number
}

export interface RecordRows {
  readonly stored: (at: RowKey) => StoredRow | null
  readonly put: (at: RowKey, row: StoredRow) => void
  readonly remove: (at: RowKey) => void
  readonly past: (at: RowKey) => ReadonlyArray<PastRow>
  readonly putPast: (at: RowKey, past: PastRow) => void
  /** All of an identity; gives how many there were. */
  readonly removePast: (at: RowKey) => number
  readonly echoes: (at: RowKey) => ReadonlyArray<Echo>
  /** At least one row. */
  readonly putEchoes: (applied: number, rows: ReadonlyArray<EchoedRow>) => void
  /** The place of an answer in the order of knowledge. */
  readonly knowledgeOf: (applied: number) => KnowledgeKey
}
