import { Effect } from "effect"
import { BatchProcessor } from "../../services/BatchProcessor.ts"
import { ControlPlane } from "../../services/ControlPlane.ts"
import { StoreRpcs } from "../contract/StoreRpcs.ts"
import { counted } from "./CallTally.ts"
import { takeRows } from "./takeRows.ts"

const make = Effect.gen(function* () {
  const control = yield* ControlPlane
  const batches = yield* BatchProcessor
  const take = yield* takeRows

  return StoreRpcs.of({
    "Store.version": () => Effect.map(control.schema, ({ expected, state, version }) => ({ version, expected, state })),
    "Store.status": () => control.status,
    "Store.sizes": () => control.sizes,
    "Store.series": () => counted(control.series),
    "Store.submit": (given) => take(given, batches.submit),
    "Store.offer": (given) => take(given, batches.offer),
    "Store.batches": () => batches.stats
  })
})

export const layer = StoreRpcs.toLayer(make)
