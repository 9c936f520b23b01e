/**
 * Rows of a client into the batch processor.
 *
 * Responsibilities: which of them are rows, and what became of each. Queueing: that of the processor; a call waits with all its rows, and a
 * connection has so many calls. Hard cases: a row that is refused, here or by the store, costs the others nothing; who leaves does not take
 * back what he gave; a processor that closes has not committed what it was told of, which the client is to repeat elsewhere.
 */
import { Effect, Result } from "effect"
import { type GivenRows, rowsOf } from "../../layers/batch/rowsOf.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import type { BatchError, BatchRow } from "../../services/BatchProcessor.ts"
import { VendorNotOurs } from "../../services/Imports.ts"
import { ShuttingDown } from "../contract/Border.ts"
import type { Taken } from "../contract/StoreRpcs.ts"

export const takeRows = Effect.gen(function* () {
  const registry = yield* AdapterRegistry

  /** Vendors whose rows come from their own answers. */
  const notOurs = Effect.fnUntraced(function* (vendors: Iterable<string>) {
    const found = new Set<string>()
    for (const vendor of vendors) {
      const adapter = yield* Effect.result(registry.resolve(vendor))
      if (Result.isSuccess(adapter) && adapter.success.storedOnly !== true) found.add(vendor)
    }
    return found
  })

  return Effect.fnUntraced(function* (
    given: GivenRows,
    enter: (row: BatchRow) => Effect.Effect<void, BatchError>
  ): Effect.fn.Return<Taken, ShuttingDown> {
    // Every line was written here, so that there is none that cannot be read.
    const found = yield* Effect.orDie(rowsOf(given))
    const theirs = yield* notOurs(new Set(found.flatMap((one) => ("row" in one ? [one.row.series.vendor] : []))))

    const outcomes = yield* Effect.forEach(
      found,
      (one): Effect.Effect<Taken["refused"][number] | null, ShuttingDown> => {
        const { index } = one
        if (!("row" in one)) return Effect.succeed({ index, reason: one.refused })
        const { vendor } = one.row.series
        if (theirs.has(vendor)) return Effect.succeed({ index, reason: new VendorNotOurs({ vendor }).message })
        return Effect.matchEffect(enter(one.row), {
          onSuccess: () => Effect.succeed(null),
          onFailure: ({ message, reason }) =>
            reason._tag === "ProcessorClosed"
              ? Effect.fail(new ShuttingDown())
              : Effect.succeed({ index, reason: message })
        })
      },
      { concurrency: "unbounded" }
    )
    const refused = outcomes.filter((outcome) => outcome !== null)
    return { rows: found.length - refused.length, refused }
  })
})
