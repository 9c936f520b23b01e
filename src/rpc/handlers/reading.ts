import type { EpochMillis } from "../../domain/TimeRange.ts"
import type { GenerationId } from "../../services/MarketStore.ts"
import type { ReadOptions } from "../../services/StitchingCache.ts"

type Reading = Pick<ReadOptions, "onMissing" | "asOf" | "generation" | "derived">

/** How a range is to be read, of what a call says of it. */
export const reading = (
  onMissing: Reading["onMissing"] | undefined,
  asOf: EpochMillis | undefined,
  generation?: GenerationId,
  derived?: boolean
): Reading => ({
  ...(onMissing === undefined ? {} : { onMissing }),
  ...(asOf === undefined ? {} : { asOf }),
  ...(generation === undefined ? {} : { generation }),
  ...(derived === undefined ? {} : { derived })
})
