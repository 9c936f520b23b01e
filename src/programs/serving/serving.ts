/** What `serve` does once it is chosen: checks where it may listen, opens the data directory, serves, and says where. */
import { Effect, Layer, References } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import * as ListenAddress from "../../layers/config/ListenAddress.ts"
import * as ProcessMetrics from "../../layers/metrics/ProcessMetrics.ts"
import { ownerSocket } from "../../layers/owner/ownerSocket.ts"
import { connectSessions } from "../../layers/registry/vendorSessions.ts"
import * as Tapestry from "../../layers/Tapestry.ts"
import { type Addresses, serve } from "../../rpc/server/Served.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { TenantJobs } from "../../services/TenantJobs.ts"
import { UsageError } from "../failure/UsageError.ts"
import { Json } from "../flags/GlobalFlags.ts"
import { levelOf } from "../logLevels.ts"
import { settings } from "../Settings.ts"
import * as StartGarbage from "../startGarbage.ts"
import { Output } from "../terminal/Output.ts"
import * as YoungGeneration from "../youngGeneration.ts"
import { addressDocument, addressLine } from "./addresses.ts"
import { adminToken } from "./adminToken.ts"
import { feedLimits, type ServeFlags, type ServeSettings, serveSettings } from "./ServeSettings.ts"

/** An owner that is about to end is waited for; one that stays is named in the error. */
const patienceForOwner = "1 second"

/** What listens where others can reach it. */
const exposed = ({ http, tcp }: ServeSettings): ReadonlyArray<ListenAddress.ListenAddress> =>
  [http.value, tcp.value].filter((address) => address !== null).filter((address) => !ListenAddress.isLoopback(address))

const checked = Effect.fnUntraced(function* (where: ServeSettings, insecure: boolean) {
  if (where.http.value === null && where.tcp.value === null) {
    return yield* new UsageError({
      message: `HTTP is off (${where.http.origin}) and so is TCP (${where.tcp.origin}): nothing is left to serve; give one of them an address`
    })
  }
  const open = exposed(where).map(ListenAddress.format)
  if (open.length > 0 && !insecure) {
    return yield* new UsageError({
      message: `${open.join(" and ")} can be reached from other machines, and nobody is asked who he is: listen on 127.0.0.1, or say --insecure if you mean it`
    })
  }
  return open
})

/** Standard output may be closed or full; a server goes on, since its log says the same. */
const sayWhere = Effect.fnUntraced(function* (addresses: Addresses, dataDir: string) {
  const { line } = yield* Output
  const document = addressDocument(addresses)
  const said = (yield* Json) ? JSON.stringify(document) : addressLine(addresses, dataDir)
  yield* Effect.catch(line(said), (error) => Effect.logWarning(error.message))
  yield* Effect.annotateLogs(Effect.logInfo("ready"), { ...document, dataDir, version: manifest.version })
})

/** A server whose jobs cannot be run serves all the same. */
const runJobs = (concurrency: number) =>
  TenantJobs.use((jobs) => jobs.work({ concurrency })).pipe(
    Effect.catch((error) => Effect.andThen(Effect.logError(`jobs are not run: ${error.message}`), Effect.never))
  )

/** Serves until it is interrupted. */
export const serving = Effect.fnUntraced(function* (
  input: ServeFlags & { readonly insecure: boolean; readonly jobs: number }
) {
  const given = yield* settings
  const where = yield* serveSettings(given, input)
  const open = yield* checked(where, input.insecure)
  const token = yield* adminToken
  const dataDir = given.dataDir.value
  const { allowedHosts, allowedOrigins, http, tcp } = where

  const served = Effect.gen(function* () {
    if (open.length > 0) {
      yield* Effect.logWarning(
        `${open.join(" and ")} can be reached from other machines: whoever reaches it reads everything, spends the vendors' budgets and may remove series, in clear text`
      )
    }
    // Before it listens: who asks first shall not wait for a gateway, and a server without its vendor is not ready.
    yield* Effect.forkScoped(connectSessions(yield* AdapterRegistry))
    const addresses = yield* serve({
      product: manifest.version,
      http:
        http.value === null
          ? null
          : {
              ...http.value,
              allowedHosts: allowedHosts.value,
              allowedOrigins: allowedOrigins.value,
              feeds: feedLimits(where)
            },
      tcp: tcp.value,
      socket: yield* ownerSocket(dataDir),
      ...(token === null ? {} : { adminToken: token })
    })
    yield* StartGarbage.collect
    yield* Effect.addFinalizer(() => Effect.logInfo("going down; calls under way have 10 s to end"))
    yield* sayWhere(addresses, dataDir)
    return yield* input.jobs === 0 ? Effect.never : runJobs(input.jobs)
  })

  return yield* Effect.scoped(served).pipe(
    Effect.provide(Layer.merge(ProcessMetrics.layer, YoungGeneration.layer)),
    Effect.provide(
      Tapestry.layer({
        dataDir,
        config: { ...given.config, dataDir },
        product: manifest.version,
        patience: patienceForOwner,
        syncBeside: true
      })
    ),
    Effect.provideService(References.MinimumLogLevel, levelOf(given.logLevel.value))
  )
})
