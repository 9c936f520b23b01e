import { Effect } from "effect"
import { ApiConfig } from "../../services/ApiConfig.ts"
import { BatchProcessor } from "../../services/BatchProcessor.ts"
import { ControlPlane } from "../../services/ControlPlane.ts"
import { StoreRpcs } from "../contract/StoreRpcs.ts"
import { counted } from "./CallTally.ts"
import { largeAnswer } from "./LargeAnswer.ts"
import { takeRows } from "./takeRows.ts"

const make = Effect.gen(function* () {
  const control = yield* ControlPlane
  const batches = yield* BatchProcessor
  const config = yield* ApiConfig
  const take = yield* takeRows

  return StoreRpcs.of({
    "Store.version": () => Effect.map(control.schema, ({ expected, state, version }) => ({ version, expected, state })),
    "Store.status": () => control.status,
    "Store.sizes": () => control.sizes,
    "Store.series": () => counted(control.series),
    "Store.submit": (given) => take(given, batches.submit),
    "Store.offer": (given) => take(given, batches.offer),
    "Store.config": (options) => Effect.andThen(largeAnswer, config.list(options)),
    "Store.configValue": ({ key }) => config.get(key),
    "Store.setConfig": ({ key, value, ...options }) => config.set(key, value, options),
    "Store.unsetConfig": ({ key, ...options }) => config.unset(key, options),
    "Store.feedback": () => counted(batches.feedback),
    "Store.batches": () => batches.stats
  })
})

export const layer = StoreRpcs.toLayer(make)
