/**
 * What every layer of RecordStore must do. Uses the services alone, so that it runs unchanged against any database. Titles begin
 * with the rows of the capability list that they show.
 */
import { describe } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { MarketStore, MarketStoreError } from "../../src/services/MarketStore.ts"
import type { RecordStore } from "../../src/services/RecordStore.ts"
import type { ProvideRecords } from "./records/commits.ts"
import { recordHistoryContract } from "./records/history.ts"
import { recordRowsContract } from "./records/rows.ts"

/** Each test builds `layer` afresh and expects it to be empty. */
export const recordStoreContract = (
  name: string,
  layer: Layer.Layer<MarketStore | RecordStore, MarketStoreError>
): void => {
  const provide: ProvideRecords = (effect) => Effect.provide(effect, Layer.fresh(layer))
  describe(`RecordStore contract (${name})`, () => {
    recordRowsContract(provide)
    recordHistoryContract(provide)
  })
}
