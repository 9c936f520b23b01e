/** Makes a backup, or puts one back, and kills itself at a visit of a fault point; 0: at none. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import { backup } from "../../../src/layers/maintenance/backup.ts"
import { restore } from "../../../src/layers/maintenance/restore.ts"

const [what = "", dataDir = "", directory = "", visitText = "0"] = process.argv.slice(2)

let visits = 0
const faults = Layer.succeed(FaultPoint, (point) => {
  if (point === "upkeep" && ++visits === Number(visitText)) process.kill(process.pid, "SIGKILL")
})

const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, faults)

if (what === "backup") {
  await Effect.runPromise(Effect.provide(backup({ dataDir, directory, product: "test" }), platform))
} else {
  const { setAside } = await Effect.runPromise(
    Effect.provide(restore({ dataDir, directory, overwrite: true }), platform)
  )
  for (const one of setAside) console.log(one)
}
