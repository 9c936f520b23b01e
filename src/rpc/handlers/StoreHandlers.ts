import { Effect } from "effect"
import { ControlPlane } from "../../services/ControlPlane.ts"
import { StoreRpcs } from "../contract/StoreRpcs.ts"
import { counted } from "./CallTally.ts"

const make = Effect.gen(function* () {
  const control = yield* ControlPlane

  return StoreRpcs.of({
    "Store.version": () => Effect.map(control.schema, ({ expected, state, version }) => ({ version, expected, state })),
    "Store.status": () => control.status,
    "Store.sizes": () => control.sizes,
    "Store.series": () => counted(control.series)
  })
})

export const layer = StoreRpcs.toLayer(make)
