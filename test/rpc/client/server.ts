/**
 * A whole Tapestry, served in a process of its own, so that a test can stop and kill it: the sample, a vendor `model` that answers
 * at once, and a vendor `slow` that takes a minute. Its argument is a JSON object of {@link Asked}; it prints its addresses.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Schema } from "effect"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import * as Served from "../../../src/rpc/server/Served.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"

const Asked = Schema.fromJsonString(
  Schema.Struct({
    dataDir: Schema.String,
    http: Schema.Int,
    tcp: Schema.Int,
    socket: Schema.NullOr(Schema.String),
    allowedOrigins: Schema.Array(Schema.String)
  })
)

const host = "127.0.0.1"

const program = Effect.gen(function* () {
  const asked = yield* Schema.decodeUnknownEffect(Asked)(process.argv[2])
  const { dataDir, http, socket, tcp } = asked
  yield* Effect.gen(function* () {
    const vendors = yield* AdapterRegistry
    yield* vendors.register(Effect.succeed(ModelVendor.make().adapter))
    yield* vendors.register(Effect.succeed(ModelVendor.make({ name: "slow", latency: [60_000, 60_000] }).adapter))
    const addresses = yield* Served.serve({
      product: "0.0.0-test",
      http: { host, port: http, allowedHosts: [], allowedOrigins: asked.allowedOrigins },
      tcp: { host, port: tcp },
      socket
    })
    yield* Console.log(JSON.stringify(addresses))
    return yield* Effect.never
  }).pipe(
    Effect.provide(Tapestry.layer({ dataDir, config: TapestryConfig.defaults, patience: "5 seconds" })),
    Effect.provide(NodeServices.layer),
    Effect.scoped
  )
})

const fiber = Effect.runFork(program)
process.once("SIGTERM", () => fiber.interruptUnsafe())
fiber.addObserver((exit) => {
  if (exit._tag === "Failure" && !process.exitCode) console.error(String(exit.cause))
})
