/**
 * `TAPESTRY_CRASH_POINT`: tests name a place in the write path here, and the process dies there as if the machine had taken
 * it away. Nothing else reads or sets it.
 */
import { Config, Effect, Layer } from "effect"
import { FaultPoint, type FaultPointName } from "../layers/FaultPoint.ts"

const names = [
  "beforeBytes",
  "bytesWritten",
  "renamed",
  "rowWritten",
  "acknowledged",
  "afterBytes",
  "afterResponse",
  "midCommit",
  "afterCommit"
] as const satisfies ReadonlyArray<FaultPointName>

export const layer = Layer.effect(
  FaultPoint,
  Effect.gen(function* () {
    const chosen = yield* Config.option(Config.Literals(names, "TAPESTRY_CRASH_POINT"))
    if (chosen._tag === "None") return () => {}
    return (point: FaultPointName) => {
      if (point === chosen.value) process.kill(process.pid, "SIGKILL")
    }
  })
)
