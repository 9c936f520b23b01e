/** The ContractLookups of another process, over the RPC: of the owner of a data directory, most of all. */
import { Effect, Layer } from "effect"
import { ContractLookups, ContractLookupsError, LookupsUnavailable } from "../../services/ContractLookups.ts"
import { type CallError, isPassing } from "./callError.ts"
import { TapestryClient } from "./TapestryClient.ts"

const told = Effect.mapError((error: CallError<ContractLookupsError>) =>
  error._tag === "ContractLookupsError"
    ? error
    : new ContractLookupsError({ reason: new LookupsUnavailable({ again: isPassing(error), message: error.message }) })
)

const make = Effect.gen(function* () {
  const client = yield* TapestryClient
  return ContractLookups.of({
    describe: (vendor, query) => told(client["Contracts.describe"]({ vendor, ...query })),
    search: (vendor, pattern) => told(client["Contracts.search"]({ vendor, pattern })),
    chain: (vendor, query) => told(client["Contracts.chain"]({ vendor, ...query })),
    first: (vendor, query) => told(client["Contracts.first"]({ vendor, ...query })),
    options: (vendor, query) => told(client["Contracts.options"]({ vendor, ...query }))
  })
})

export const layer: Layer.Layer<ContractLookups, never, TapestryClient> = Layer.effect(ContractLookups, make)
