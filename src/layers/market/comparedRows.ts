/**
 * Rows of a stretch in which this commit is the newest answer everywhere: what is stored is the last word before it, so each
 * stored row is compared with the new one, and only what differs is written.
 */
import { sameValues } from "../../domain/Bar.ts"
import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CommitBatch } from "./CommitBatch.ts"
import type { CommitTarget, Tally } from "./CommitTarget.ts"
import type { Piece } from "./coverageTable.ts"
import type { Echo } from "./EchoBlock.ts"
import { intervalCursor, type RowChunk } from "./RowChunk.ts"
import { RevisionKind, type StoredVersion } from "./rows.ts"
import { BarInserter, barsIn, finalise, putBar, putEchoes, putRevision, removeBar } from "./rowTables.ts"
import { endOf, fill, maskOf } from "./VersionHistory.ts"

interface Changes {
  readonly fresh: Array<number>
  readonly replaced: Array<{ readonly old: StoredVersion; readonly next: StoredVersion; readonly kind: number }>
  readonly finalised: Array<number>
  readonly withdrawn: Array<StoredVersion>
  readonly echoes: Array<Echo>
  unchanged: number
}

/** What the chunk changes; null when a new row's stamp may have a final absence before it, which takes the whole history. */
const changesOf = (
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  pieces: ReadonlyArray<Piece>,
  stored: ReadonlyArray<StoredVersion>
): Changes | null => {
  const changes: Changes = { fresh: [], replaced: [], finalised: [], withdrawn: [], echoes: [], unchanged: 0 }
  const intervalAt = intervalCursor(batch.intervals)
  let row = 0
  let piece = 0
  const withdrawBefore = (ts: number): void => {
    for (let old = stored[row]; old !== undefined && old.ts < ts; old = stored[++row]) {
      if (intervalAt(old.ts) !== null) changes.withdrawn.push(old)
    }
  }
  for (let index = chunk.from; index < chunk.to; index++) {
    const given = batch.bars[index]
    if (given === undefined) continue
    const { ts } = given
    withdrawBefore(ts)
    const mask = target.keepsNulls ? maskOf(given) : 0
    const position = batch.positions[index] ?? 0
    const final = batch.finals[index] === 1
    const old = stored[row]
    if (old === undefined || old.ts !== ts || old.bar === null) {
      let over = pieces[piece]
      while (over !== undefined && over.end <= ts) over = pieces[++piece]
      if (over !== undefined && over.start <= ts && over.settled) return null
      changes.fresh.push(index)
      if (mask !== 0) changes.echoes.push({ ts, position, mask })
      continue
    }
    row++
    const bar = fill(given, mask, old.bar)
    if (sameValues(old.bar, bar)) {
      changes.unchanged++
      changes.echoes.push({ ts, position, mask })
      if (final && !old.final) changes.finalised.push(ts)
      continue
    }
    if (mask !== 0) changes.echoes.push({ ts, position, mask })
    const next = { ts, bar, final, position, applied: target.applied, shown: null, shownPosition: null }
    changes.replaced.push({ old, next, kind: endOf(old, next) ?? RevisionKind.overwritten })
  }
  withdrawBefore(chunk.end)
  return changes
}

/** False when nothing was done, because the chunk needs its whole history. */
export const compareRows = (
  db: SyncDatabase,
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  pieces: ReadonlyArray<Piece>,
  tally: Tally
): boolean => {
  const { applied, generation } = target
  const changes = changesOf(target, batch, chunk, pieces, barsIn(db, generation, chunk.start, chunk.end))
  if (changes === null) return false
  for (const { old, next, kind } of changes.replaced) {
    putRevision(db, generation, { ...old, kind, supersededBy: applied }, null)
    putBar(db, generation, next)
    if (kind !== RevisionKind.overwritten) tally.revisions++
  }
  for (const old of changes.withdrawn) {
    putRevision(db, generation, { ...old, kind: RevisionKind.withdrawn, supersededBy: applied }, null)
    removeBar(db, generation, old.ts)
    tally.revisions++
  }
  for (const ts of changes.finalised) finalise(db, generation, ts)
  const inserter = new BarInserter(db, generation, applied)
  for (const index of changes.fresh) {
    const bar = batch.bars[index]
    if (bar !== undefined) inserter.add(bar, batch.finals[index] ?? 0, batch.positions[index] ?? 0)
  }
  inserter.flush()
  putEchoes(db, applied, applied, changes.echoes)
  tally.inserted += changes.fresh.length
  tally.updated += changes.replaced.length
  tally.unchanged += changes.unchanged
  tally.withdrawn += changes.withdrawn.length
  return true
}
