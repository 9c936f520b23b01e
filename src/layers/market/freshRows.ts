import type { CommitBatch } from "./CommitBatch.ts"
import type { CommitTarget, Tally } from "./CommitTarget.ts"
import { EchoBlock } from "./EchoBlock.ts"
import type { RowTables } from "./GenerationTables.ts"
import type { RowChunk } from "./RowChunk.ts"
import { maskOf } from "./VersionHistory.ts"

/** The fields that an older answer, committed later, is to fill. */
const nullsOf = (batch: CommitBatch, chunk: RowChunk): EchoBlock => {
  const block = new EchoBlock()
  for (let index = chunk.from; index < chunk.to; index++) {
    const bar = batch.bars[index]
    const mask = bar === undefined ? 0 : maskOf(bar)
    if (bar !== undefined && mask !== 0) block.add(bar.ts, batch.positions[index] ?? 0, mask)
  }
  return block
}

/** Rows of a stretch that no answer ever covered: there is nothing to compare with. */
export const insertFresh = (
  tables: RowTables,
  target: CommitTarget,
  batch: CommitBatch,
  chunk: RowChunk,
  tally: Tally
): void => {
  const inserter = tables.inserter(target.generation, target.applied)
  const { bars, finals, positions } = batch
  for (let index = chunk.from; index < chunk.to; index++) {
    const bar = bars[index]
    if (bar !== undefined) inserter.add(bar, finals[index] ?? 0, positions[index] ?? 0)
  }
  inserter.flush()
  if (target.keepsNulls) tables.putEchoes(target.applied, target.applied, nullsOf(batch, chunk))
  tally.inserted += chunk.to - chunk.from
}
