/** Rows of superseded values, with what tells their order. */
import type { Revision } from "../../domain/Revision.ts"
import { num, numOrNull, RevisionKind, responseId, type SqlRow, toBar } from "./rows.ts"

export interface FoundRevision extends Revision {
  readonly decoderVersion: number
}

const kindOf = (code: number): Revision["kind"] =>
  code === RevisionKind.corrected ? "corrected" : code === RevisionKind.finalised ? "finalised" : "withdrawn"

export const toFound = (row: SqlRow): FoundRevision => ({
  ts: num(row[0]),
  bar: numOrNull(row[1]) === null ? null : toBar(row),
  kind: kindOf(num(row[8])),
  response: responseId(row[9]),
  position: num(row[10]),
  recordedAt: num(row[11]),
  supersededAt: num(row[12]),
  supersededBy: responseId(row[13]),
  decoderVersion: num(row[14])
})

export const inOrder = (a: FoundRevision, b: FoundRevision): number =>
  a.ts - b.ts ||
  a.recordedAt - b.recordedAt ||
  a.response - b.response ||
  a.decoderVersion - b.decoderVersion ||
  a.supersededAt - b.supersededAt

export const toRevision = ({ decoderVersion: _, ...revision }: FoundRevision): Revision => revision
