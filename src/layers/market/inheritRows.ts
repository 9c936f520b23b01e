/** One stretch of what a generation takes over from the one before it; see inherit.ts. */
import { sameValues } from "../../domain/Bar.ts"
import type { Piece, RowTables } from "./GenerationTables.ts"
import { RevisionKind, type StoredVersion } from "./rows.ts"
import { assertsRows, isFinal } from "./stateCode.ts"
import { endOf } from "./VersionHistory.ts"

/** The stamps of `[start, stop)`, whose coverage in both generations is at hand; `at` is the instant of the switch. */
export interface InheritStretch {
  readonly from: number
  readonly to: number
  readonly at: number
  readonly start: number
  readonly stop: number
  readonly oldPieces: ReadonlyArray<Piece>
  readonly newPieces: ReadonlyArray<Piece>
  /** The id of a response in the table `applied`. */
  readonly appliedOf: (generation: number, response: number, decoderVersion: number) => number | null
}

/** The newest answer about a stamp, if it says whether there is a row; null where nothing does. */
const absenceAt = (
  { appliedOf }: InheritStretch,
  generation: number,
  pieces: ReadonlyArray<Piece>,
  ts: number
): StoredVersion | null => {
  const piece = pieces.find((candidate) => candidate.start <= ts && ts < candidate.end)
  if (piece === undefined || !assertsRows(piece.code)) return null
  const applied = appliedOf(generation, piece.response, piece.decoderVersion)
  return applied === null
    ? null
    : {
        ts,
        bar: null,
        final: isFinal(piece.code, piece.until),
        position: -1,
        applied,
        shown: null,
        shownPosition: null
      }
}

const takeOver = (tables: RowTables, generation: number, old: StoredVersion, row: StoredVersion): void => {
  const shown = old.shown ?? old.applied
  const shownPosition = old.shownPosition ?? old.position
  if (row.shown !== shown || row.shownPosition !== shownPosition) {
    tables.putBar(generation, { ...row, shown, shownPosition })
  }
}

/** Gives the revisions that it left. */
export const inheritRows = (tables: RowTables, stretch: InheritStretch): number => {
  const { at, from, newPieces, oldPieces, start, stop, to } = stretch
  const olds = new Map(tables.barsIn(from, start, stop).map((row) => [row.ts, row]))
  const news = new Map(tables.barsIn(to, start, stop).map((row) => [row.ts, row]))
  let revisions = 0
  for (const ts of new Set([...olds.keys(), ...news.keys()])) {
    const old = olds.get(ts) ?? absenceAt(stretch, from, oldPieces, ts)
    const row = news.get(ts) ?? absenceAt(stretch, to, newPieces, ts)
    if (old === null || row === null) continue
    if (old.bar !== null && row.bar !== null && sameValues(old.bar, row.bar)) {
      takeOver(tables, to, old, row)
      continue
    }
    if (row.shown !== null) tables.putBar(to, { ...row, shown: null, shownPosition: null })
    const kind = endOf(old, row)
    if (kind === null || kind === RevisionKind.overwritten) continue
    tables.putRevision(to, { ...old, kind, supersededBy: row.applied }, at)
    revisions++
  }
  return revisions
}
