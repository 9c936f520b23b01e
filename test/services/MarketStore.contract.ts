/**
 * What every layer of MarketStore must do. Uses the service alone, so that it runs unchanged against any database. Titles begin
 * with the rows of the capability list that they show.
 */
import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { MarketStore, MarketStoreError } from "../../src/services/MarketStore.ts"
import { actionsContract } from "./market/actions.ts"
import type { Provide } from "./market/commits.ts"
import { coverageContract } from "./market/coverage.ts"
import { generationsContract } from "./market/generations.ts"
import { historyContract } from "./market/history.ts"
import { mismatchesContract } from "./market/mismatches.ts"
import { referencesContract } from "./market/references.ts"
import { rowsContract } from "./market/rows.ts"
import { transactionsContract } from "./market/transactions.ts"

/** Each test builds `layer` afresh and expects it to be empty. */
export const marketStoreContract = (name: string, layer: Layer.Layer<MarketStore, MarketStoreError>): void => {
  const provide: Provide = (effect) => Effect.provide(effect, Layer.fresh(layer))
  describe(`MarketStore contract (${name})`, () => {
    rowsContract(provide)
    historyContract(provide)
    coverageContract(provide)
    actionsContract(provide)
    mismatchesContract(provide)
    generationsContract(provide)
    transactionsContract(provide)
    referencesContract(provide)
  })
}
