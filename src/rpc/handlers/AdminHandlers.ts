import { Effect } from "effect"
import { ControlPlane } from "../../services/ControlPlane.ts"
import { AdminRpcs } from "../contract/AdminRpcs.ts"

const make = Effect.gen(function* () {
  const control = yield* ControlPlane

  return AdminRpcs.of({
    "Admin.migrate": () => control.migrate,
    "Admin.stamp": ({ confirm = false, version }) => control.stamp(version, { confirm })
  })
})

export const layer = AdminRpcs.toLayer(make)
