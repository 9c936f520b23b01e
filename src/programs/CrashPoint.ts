/**
 * `TAPESTRY_CRASH_POINT`: tests name a place in the write path here, and the process dies there as if the machine had taken
 * it away. Nothing else reads or sets it.
 */
import { Config, Effect, Layer } from "effect"
import { FaultPoint, type FaultPointName } from "../layers/FaultPoint.ts"
import { UsageError } from "./failure/UsageError.ts"

const names = [
  "beforeBytes",
  "bytesWritten",
  "renamed",
  "rowWritten",
  "acknowledged",
  "afterBytes",
  "afterResponse",
  "midCommit",
  "afterCommit",
  "upkeep",
  "operationRecorded",
  "midRebuild",
  "beforeSend",
  "afterSend"
] as const satisfies ReadonlyArray<FaultPointName>

export const layer = Layer.effect(
  FaultPoint,
  Effect.gen(function* () {
    const chosen = yield* Effect.orDie(Config.String("TAPESTRY_CRASH_POINT").pipe(Config.withDefault("")))
    if (chosen === "") return () => {}
    if (!names.some((name) => name === chosen)) {
      return yield* new UsageError({ message: `TAPESTRY_CRASH_POINT=${chosen}: expected one of ${names.join(", ")}` })
    }
    return (point: FaultPointName) => {
      if (point === chosen) process.kill(process.pid, "SIGKILL")
    }
  })
)
