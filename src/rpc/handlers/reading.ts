import type { ReadOptions } from "../../services/StitchingCache.ts"

type Reading = Pick<ReadOptions, "onMissing" | "asOf" | "generation" | "cuts" | "derived">

/** How a range is to be read, of what a call says of it. */
export const reading = ({
  asOf,
  cuts,
  derived,
  generation,
  onMissing
}: { readonly [K in keyof Reading]: Reading[K] | undefined }): Reading => ({
  ...(onMissing === undefined ? {} : { onMissing }),
  ...(asOf === undefined ? {} : { asOf }),
  ...(generation === undefined ? {} : { generation }),
  ...(cuts === undefined ? {} : { cuts }),
  ...(derived === undefined ? {} : { derived })
})
