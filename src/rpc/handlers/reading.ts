import type { ReadOptions } from "../../services/StitchingCache.ts"

type Reading = Pick<ReadOptions, "onMissing" | "asOf">

/** How a range is to be read, of what a call says of it. */
export const reading = (onMissing: Reading["onMissing"] | undefined, asOf: number | undefined): Reading => ({
  ...(onMissing === undefined ? {} : { onMissing }),
  ...(asOf === undefined ? {} : { asOf })
})
