/**
 * Rows of a stretch in which this commit is the newest answer everywhere: what is stored is the last word before it, so each
 * stored row is compared with the new one, and only what differs is written.
 *
 * Stored rows are compared as the driver gives them; records are made only of those that change. With a record for each the
 * collector's pauses were the longest holds of the event loop.
 */
import type { Bar } from "../../domain/Bar.ts"
import type { CommitBatch } from "./CommitBatch.ts"
import type { CommitTarget, Tally } from "./CommitTarget.ts"
import { EchoBlock } from "./EchoBlock.ts"
import type { Piece, RowTables } from "./GenerationTables.ts"
import { intervalCursor, type RowChunk } from "./RowChunk.ts"
import { num, RevisionKind, type SqlRow, toBar } from "./rows.ts"
import { endOf, fill, maskOf } from "./VersionHistory.ts"

interface Changes {
  /** Indices into the batch. */
  readonly fresh: Array<number>
  readonly replaced: Array<{ readonly index: number; readonly bar: Bar }>
  /** Stamps. */
  readonly finalised: Array<number>
  readonly withdrawn: Array<number>
  readonly echoes: EchoBlock
  unchanged: number
}

/** The same as `sameValues` of the domain, on the columns. */
const sameAsRow = (row: SqlRow, bar: Bar): boolean =>
  row[4] === bar.close &&
  row[1] === bar.open &&
  row[2] === bar.high &&
  row[3] === bar.low &&
  row[5] === bar.volume &&
  row[6] === bar.vwap &&
  row[7] === bar.count

/** What the chunk changes; null when a new row's stamp may have a final absence before it, which takes the whole history. */
const changesOf = (
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  pieces: ReadonlyArray<Piece>,
  stored: ReadonlyArray<SqlRow>
): Changes | null => {
  const { bars, finals, positions } = batch
  const echoes = new EchoBlock()
  const changes: Changes = { fresh: [], replaced: [], finalised: [], withdrawn: [], echoes, unchanged: 0 }
  const intervalAt = intervalCursor(batch.intervals)
  let at = 0
  let piece = 0
  let row = stored[at]
  const withdrawBefore = (ts: number): void => {
    while (row !== undefined && num(row[0]) < ts) {
      if (intervalAt(num(row[0])) !== null) changes.withdrawn.push(num(row[0]))
      row = stored[++at]
    }
  }
  for (let index = chunk.from; index < chunk.to; index++) {
    const given = bars[index]
    if (given === undefined) continue
    const { ts } = given
    withdrawBefore(ts)
    const mask = target.keepsNulls ? maskOf(given) : 0
    if (row === undefined || row[0] !== ts) {
      let over = pieces[piece]
      while (over !== undefined && over.end <= ts) over = pieces[++piece]
      if (over !== undefined && over.start <= ts && over.settled) return null
      changes.fresh.push(index)
      if (mask !== 0) echoes.add(ts, positions[index] ?? 0, mask)
      continue
    }
    const bar = mask === 0 ? given : fill(given, mask, toBar(row))
    if (sameAsRow(row, bar)) {
      changes.unchanged++
      if (finals[index] === 1 && row[8] === 0) changes.finalised.push(ts)
      echoes.add(ts, positions[index] ?? 0, mask)
    } else {
      changes.replaced.push({ index, bar })
      if (mask !== 0) echoes.add(ts, positions[index] ?? 0, mask)
    }
    row = stored[++at]
  }
  withdrawBefore(chunk.end)
  return changes
}

const replace = (
  tables: RowTables,
  target: CommitTarget,
  batch: CommitBatch,
  { bar, index }: Changes["replaced"][number],
  tally: Tally
): void => {
  const { applied, generation } = target
  const old = tables.barRow(generation, bar.ts)
  if (old === null) return
  const final = batch.finals[index] === 1
  const kind = endOf(old, { bar, final }) ?? RevisionKind.overwritten
  tables.putRevision(generation, { ...old, kind, supersededBy: applied }, null)
  tables.putBar(generation, {
    ts: bar.ts,
    bar,
    final,
    position: batch.positions[index] ?? 0,
    applied,
    shown: null,
    shownPosition: null
  })
  if (kind !== RevisionKind.overwritten) tally.revisions++
}

/** False when nothing was done, because the chunk needs its whole history. */
export const compareRows = (
  tables: RowTables,
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  pieces: ReadonlyArray<Piece>,
  tally: Tally
): boolean => {
  const { applied, generation } = target
  const changes = changesOf(target, batch, chunk, pieces, tables.valueRowsIn(generation, chunk.start, chunk.end))
  if (changes === null) return false
  for (const replaced of changes.replaced) replace(tables, target, batch, replaced, tally)
  for (const ts of changes.withdrawn) {
    const old = tables.barRow(generation, ts)
    if (old === null) continue
    tables.putRevision(generation, { ...old, kind: RevisionKind.withdrawn, supersededBy: applied }, null)
    tables.removeBar(generation, ts)
    tally.revisions++
  }
  for (const ts of changes.finalised) tables.finalise(generation, ts)
  const inserter = tables.inserter(generation, applied)
  for (const index of changes.fresh) {
    const bar = batch.bars[index]
    if (bar !== undefined) inserter.add(bar, batch.finals[index] ?? 0, batch.positions[index] ?? 0)
  }
  inserter.flush()
  tables.putEchoes(applied, applied, changes.echoes)
  tally.inserted += changes.fresh.length
  tally.updated += changes.replaced.length
  tally.unchanged += changes.unchanged
  tally.withdrawn += changes.withdrawn.length
  return true
}
