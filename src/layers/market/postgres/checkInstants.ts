import { Effect } from "effect"
import type { Commit, MarketStoreError } from "../../../services/MarketStore.ts"
import { firstInstant } from "../../postgres/values.ts"
import type { CommitBatch } from "../CommitBatch.ts"
import { invalidRow } from "../storeError.ts"

/** A timestamptz begins in 4714 BC; the stamps of a batch ascend, so the first one tells. */
export const checkInstants = (commit: Commit, { bars: [first] }: CommitBatch): Effect.Effect<void, MarketStoreError> =>
  first === undefined || first.ts >= firstInstant
    ? Effect.void
    : Effect.fail(
        invalidRow(
          commit.bars.findIndex(({ ts }) => ts === first.ts),
          first.ts,
          "its stamp lies before 4714 BC, where the time of PostgreSQL begins"
        )
      )
