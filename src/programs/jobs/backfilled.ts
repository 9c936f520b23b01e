import { Effect } from "effect"
import type { Backfill } from "../../domain/Backfill.ts"
import type { JobSpec } from "../../domain/Job.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"
import { waitedFor } from "./waitedFor.ts"

/** A backfill as a job that is waited for. */
export const backfilled = (
  spec: JobSpec,
  backfill: Pick<Backfill, "vendor" | "symbols" | "timeframe">,
  { again, detached, title }: { readonly again: boolean; readonly detached: boolean; readonly title: string }
) => {
  /** A vendor that nobody knows is told as other commands tell it; what else is wrong with a symbol is found out by the job. */
  const knownVendor = Effect.gen(function* () {
    const cache = yield* StitchingCache
    const { symbols, timeframe, vendor } = backfill
    yield* cache.resolve(vendor, { symbol: symbols[0], kind: "bar", timeframe }).pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag !== "AdapterRegistryError",
        () => Effect.void
      )
    )
  })
  return waitedFor(spec, knownVendor, { again, detached, label: `backfill ${title}` })
}
