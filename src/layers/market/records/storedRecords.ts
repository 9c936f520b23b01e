/** Records as reads give them, from rows that begin with (ts, ns, identity), whatever the database. */
import type { RecordKind, RecordOf } from "../../../domain/records/RecordKind.ts"
import type { RecordRevision, StoredRecord } from "../../../services/RecordStore.ts"
import { num, RevisionKind, responseId, type SqlRow } from "../rows.ts"
import { cellsFrom, fromCells } from "./recordCells.ts"

/** Of the answer `p`: {@link storedOf} takes them after the position. */
export const origin = "p.response, p.decoder_version, p.fetched_at"

export const recordAt = <K extends RecordKind>(kind: K, row: SqlRow): RecordOf<K> =>
  fromCells(kind, num(row[0]), num(row[1]), row, 3)

/** The cells begin at `from` of `cells`, the position and the origin at `tail` of the row. */
export const storedOf = <K extends RecordKind>(
  kind: K,
  row: SqlRow,
  cells: SqlRow,
  from: number,
  tail: number
): StoredRecord<K> => ({
  row: fromCells(kind, num(row[0]), num(row[1]), cells, from),
  lineage: {
    position: num(row[tail]),
    response: responseId(row[tail + 1]),
    decoderVersion: num(row[tail + 2]),
    recordedAt: num(row[tail + 3])
  }
})

/** From a text of cells, a position, an origin, a kind, and when and by which response it gave way. */
export const revisionOf = <K extends RecordKind>(kind: K, row: SqlRow): RecordRevision<K> => ({
  ...storedOf(kind, row, cellsFrom(row[3]), 0, 4),
  kind: row[8] === RevisionKind.withdrawn ? "withdrawn" : "corrected",
  supersededAt: num(row[9]),
  supersededBy: responseId(row[10])
})
