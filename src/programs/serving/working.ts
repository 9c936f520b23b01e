/** What `jobs work` does once it is chosen: owns the data directory, and runs jobs until it is interrupted. */
import { Effect, Layer, References } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import * as ProcessMetrics from "../../layers/metrics/ProcessMetrics.ts"
import { ownerSocket } from "../../layers/owner/ownerSocket.ts"
import * as Tapestry from "../../layers/Tapestry.ts"
import { serve } from "../../rpc/server/Served.ts"
import { TenantJobs } from "../../services/TenantJobs.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { levelOf } from "../logLevels.ts"
import { settings } from "../Settings.ts"
import * as StartGarbage from "../startGarbage.ts"
import { Output } from "../terminal/Output.ts"
import * as YoungGeneration from "../youngGeneration.ts"

/** An owner that is about to end is waited for; one that stays is named in the error. */
const patienceForOwner = "1 second"

export const working = Effect.fnUntraced(function* (concurrency: number) {
  const given = yield* settings
  const dataDir = given.dataDir.value
  const { line } = yield* Output
  const json = yield* Json
  const worked = Effect.gen(function* () {
    const socket = yield* ownerSocket(dataDir)
    yield* StartGarbage.collect
    yield* serve({ product: manifest.version, http: null, tcp: null, socket })
    const said = json
      ? JSON.stringify({ socket, pid: process.pid })
      : `running the jobs of ${dataDir}, socket ${socket} (process ${process.pid})`
    yield* Effect.catch(line(said), (error) => Effect.logWarning(error.message))
    yield* Effect.addFinalizer(() => Effect.logInfo("going down; what is under way is put aside"))
    const jobs = yield* TenantJobs
    return yield* jobs.work({ concurrency })
  })
  return yield* Effect.scoped(worked).pipe(
    Effect.provide(Layer.merge(ProcessMetrics.layer, YoungGeneration.layer)),
    Effect.provide(
      Tapestry.layer({
        dataDir,
        config: { ...given.config, dataDir },
        product: manifest.version,
        patience: patienceForOwner
      })
    ),
    Effect.provideService(References.MinimumLogLevel, levelOf(given.logLevel.value))
  )
})
