import { Effect } from "effect"
import { ControlPlane } from "../../services/ControlPlane.ts"
import { JobQueue } from "../../services/JobQueue.ts"
import { AdminRpcs } from "../contract/AdminRpcs.ts"
import { startTask } from "./startTask.ts"

const make = Effect.gen(function* () {
  const control = yield* ControlPlane
  const queue = yield* JobQueue

  return AdminRpcs.of({
    "Admin.migrate": () => control.migrate,
    "Admin.stamp": ({ confirm = false, version }) => control.stamp(version, { confirm }),
    "Admin.policy": ({ change }) => control.setPolicy(change),
    "Admin.start": ({ task }) => startTask(queue, task)
  })
})

export const layer = AdminRpcs.toLayer(make)
