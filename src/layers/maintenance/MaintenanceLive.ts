/** Maintenance of a data directory whose stores are open in this process. */
import { Effect, Layer } from "effect"
import { Maintenance, MaintenanceError } from "../../services/Maintenance.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { ProvenanceStore, type ProvenanceStoreError } from "../../services/ProvenanceStore.ts"

const asServiceError = (reason: ProvenanceStoreError | MarketStoreError) => new MaintenanceError({ reason })

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  return Maintenance.of({
    gc: (options, progress) =>
      archive
        .gc({ ...options, referenced: market.referencedResponses, ...(progress === undefined ? {} : { progress }) })
        .pipe(Effect.mapError(asServiceError), Effect.withSpan("Maintenance.gc")),
    compact: (progress) =>
      archive.compact(progress).pipe(Effect.mapError(asServiceError), Effect.withSpan("Maintenance.compact"))
  })
})

export const layer: Layer.Layer<Maintenance, never, ProvenanceStore | MarketStore> = Layer.effect(Maintenance, make)
