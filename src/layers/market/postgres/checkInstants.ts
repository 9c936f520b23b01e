import { Effect } from "effect"
import { instantOf } from "../../../domain/records/RecordKind.ts"
import type { Commit, MarketStoreError } from "../../../services/MarketStore.ts"
import type { RecordCommit } from "../../../services/RecordStore.ts"
import { firstInstant } from "../../postgres/values.ts"
import type { CommitBatch } from "../CommitBatch.ts"
import type { RecordBatch } from "../records/RecordBatch.ts"
import { invalidRow } from "../storeError.ts"

/** A timestamptz begins in 4714 BC; the stamps of a batch ascend, so the first one tells. */
const check = (
  first: { readonly ts: number } | undefined,
  indexOf: (ts: number) => number
): Effect.Effect<void, MarketStoreError> =>
  first === undefined || first.ts >= firstInstant
    ? Effect.void
    : Effect.fail(
        invalidRow(indexOf(first.ts), first.ts, "its stamp lies before 4714 BC, where the time of PostgreSQL begins")
      )

export const checkInstants = ({ bars }: Commit, batch: CommitBatch): Effect.Effect<void, MarketStoreError> =>
  check(batch.bars[0], (first) => bars.findIndex(({ ts }) => ts === first))

export const checkRecordInstants = (
  { rows }: RecordCommit,
  batch: RecordBatch
): Effect.Effect<void, MarketStoreError> =>
  check(batch.rows[0], (first) => rows.findIndex((row) => instantOf(row).millis === first))
