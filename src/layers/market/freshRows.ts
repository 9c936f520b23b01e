import type { SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import type { CommitBatch } from "./CommitBatch.ts"
import type { CommitTarget, Tally } from "./CommitTarget.ts"
import type { RowChunk } from "./RowChunk.ts"
import { BarInserter } from "./rowTables.ts"

/** Rows of a stretch that no answer ever covered: there is nothing to compare with. */
export const insertFresh = (
  db: SyncDatabase,
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  tally: Tally
): void => {
  const inserter = new BarInserter(db, target.generation, target.applied)
  const { bars, finals, positions } = batch
  for (let index = chunk.from; index < chunk.to; index++) {
    const bar = bars[index]
    if (bar !== undefined) inserter.add(bar, finals[index] ?? 0, positions[index] ?? 0)
  }
  inserter.flush()
  tally.inserted += chunk.to - chunk.from
}
