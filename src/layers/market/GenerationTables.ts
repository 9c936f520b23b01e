/**
 * What the steps of a commit read and write of a generation's rows, revisions, echoes and coverage, whatever the database.
 *
 * SQLite reads and writes at once (rowTables.ts, coverageTable.ts); PostgreSQL, where every statement is a journey, reads a
 * stretch beforehand and writes its changes afterwards (postgres/RowWindow.ts, postgres/CoverageWindow.ts). So the steps read
 * everything of rows before they write any; of coverage they read what they wrote.
 */
import type { Bar } from "../../domain/Bar.ts"
import type { Echo, EchoBlock } from "./EchoBlock.ts"
import type { KnowledgeKey } from "./KnowledgeKey.ts"
import type { SqlRow, StoredVersion, SupersededVersion } from "./rows.ts"

/** Gathers rows that are new to their generation; they are written when it is flushed, at the latest. */
export interface BarSink {
  readonly add: (bar: Bar, final: number, position: number) => void
  readonly flush: () => void
}

export interface RowTables {
  /** Rows of `[start, end)`, ascending. */
  readonly barsIn: (generation: number, start: number, end: number) => ReadonlyArray<StoredVersion>
  /** The same as the driver gives them, beginning with the value columns and `final`, to be compared without a record made of each. */
  readonly valueRowsIn: (generation: number, start: number, end: number) => ReadonlyArray<SqlRow>
  readonly barRow: (generation: number, ts: number) => StoredVersion | null
  readonly inserter: (generation: number, applied: number) => BarSink
  readonly putBar: (generation: number, version: StoredVersion) => void
  readonly removeBar: (generation: number, ts: number) => void
  readonly finalise: (generation: number, ts: number) => void
  /** Revisions that assertions made, the hidden ones too; not those that came of publishing a generation. */
  readonly revisionsIn: (generation: number, start: number, end: number) => ReadonlyArray<SupersededVersion>
  /** `supersededAt` is null where it is the fetch time of what superseded it. */
  readonly putRevision: (generation: number, version: SupersededVersion, supersededAt: number | null) => void
  readonly removeRevision: (generation: number, ts: number, applied: number) => void
  /** `part` tells blocks of one response apart: the response whose commit wrote it. */
  readonly putEchoes: (applied: number, part: number, block: EchoBlock) => void
  readonly echoesOf: (applied: number, start: number, end: number) => ReadonlyMap<number, Echo>
}

/** The newest answers that are no refusals, and the newest refusals; see refusals.ts. */
export type PieceTable = "coverage" | "refusals"

/** What an answer says about an interval; `code` and `until` as in stateCode.ts. */
export interface Answer extends KnowledgeKey {
  readonly start: number
  readonly end: number
  readonly code: number
  readonly until: number | null
}

/** A stretch of an answer with nothing newer; `settled` is false only where nothing final was ever asserted inside it. */
export interface Piece extends Answer {
  readonly settled: boolean
}

/** One of the two tables of pieces. */
export interface CoverageTables {
  /** The first pieces that meet `[start, end)`, ascending, unclipped: at most `limit` and one. */
  readonly piecesIn: (generation: number, start: number, end: number, limit: number) => ReadonlyArray<Piece>
  readonly insertPiece: (generation: number, piece: Piece) => void
  readonly deletePiece: (generation: number, start: number) => void
  readonly settlePiece: (generation: number, start: number) => void
}
