import { Effect } from "effect"
import { ContractLookups } from "../../services/ContractLookups.ts"
import { ContractRpcs } from "../contract/ContractRpcs.ts"

const make = Effect.gen(function* () {
  const lookups = yield* ContractLookups

  return ContractRpcs.of({
    "Contracts.describe": ({ vendor, ...query }) => lookups.describe(vendor, query),
    "Contracts.search": ({ pattern, vendor }) => lookups.search(vendor, pattern),
    "Contracts.chain": ({ vendor, ...query }) => lookups.chain(vendor, query),
    "Contracts.first": ({ vendor, ...query }) => lookups.first(vendor, query),
    "Contracts.options": ({ vendor, ...query }) => lookups.options(vendor, query)
  })
})

export const layer = ContractRpcs.toLayer(make)
