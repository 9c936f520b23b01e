/**
 * A command whose vendor can be counted: it writes every request that it gets to a file, synced, before it answers. Arguments:
 *
 *     dataDir log serve <millis>           owns the directory and serves its socket until it is killed; prints `ready`
 *     dataDir log bars <millis> <pieces>   hours of one day, up to four pieces of six, one after another
 *
 * The vendor takes so many milliseconds for each piece.
 *
 * `bars` goes the way of the command line's commands (throughOwner) and prints one JSON document: what it had, or its error.
 */
import { fsyncSync, openSync, writeSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Layer, References, Stream } from "effect"
import * as TapestryConfig from "../../src/layers/config/TapestryConfig.ts"
import { ownerSocket } from "../../src/layers/owner/ownerSocket.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../src/layers/testing/ModelVendor.ts"
import { documentOf } from "../../src/programs/failure/Failure.ts"
import { throughOwner } from "../../src/programs/owner/throughOwner.ts"
import { runMain } from "../../src/programs/runMain.ts"
import * as Output from "../../src/programs/terminal/Output.ts"
import { serve } from "../../src/rpc/server/Served.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"

const [dataDir = "", logfile = "", mode = "bars", millis = "0", pieces = "4"] = process.argv.slice(2)
const product = "test"
const hour = 3_600_000
const start = Date.UTC(2024, 2, 1)
const range = { start, end: start + Number(pieces) * 6 * hour }
const log = openSync(logfile, "a")

const vendor = ModelVendor.make({
  latency: [Number(millis), Number(millis)],
  limits: {
    concurrency: 1,
    windows: [{ name: "hourly", limit: 1_000, span: hour, key: null }],
    timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } }
  },
  onRequest: ({ range }) =>
    Effect.sync(() => {
      writeSync(log, `${new Date(range.start).toISOString()}\n`)
      fsyncSync(log)
    })
})

const services = Layer.effectDiscard(
  Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor.adapter)))
).pipe(
  Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, dataDir }, product })),
  Layer.provide(NodeServices.layer)
)

const bars = Effect.gen(function* () {
  const cache = yield* StitchingCache
  const series = yield* cache.resolve("model", { symbol: "ALPHA", kind: "bar", timeframe: "1h" })
  const answer = yield* cache.read({ series, range })
  const rows = yield* Stream.runCollect(answer.bars)
  const model = yield* vendor.direct(series, range)
  yield* print({
    rows: rows.length,
    equal: JSON.stringify(rows) === JSON.stringify(model),
    covered: answer.coverage.every(({ state }) => state._tag === "Covered"),
    closes: rows.map(({ close }) => close)
  })
})

const print = (document: unknown) => Effect.sync(() => process.stdout.write(`${JSON.stringify(document)}\n`))

const command = throughOwner(
  { dataDir, product, vendors: new Set(["model"]), store: null, services: Effect.succeed(services) },
  bars,
  () => bars
).pipe(Effect.catch((error) => print(documentOf(Cause.fail(error)))))

const server = Effect.gen(function* () {
  yield* serve({ product, http: null, tcp: null, socket: yield* ownerSocket(dataDir) })
  process.stdout.write("ready\n")
  yield* Effect.sleep("1 hour")
}).pipe(Effect.scoped, Effect.provide(services))

Effect.provide(mode === "serve" ? server : command, Layer.merge(NodeServices.layer, Output.layer)).pipe(
  Effect.provideService(References.MinimumLogLevel, "Error"),
  (program) => runMain(program, { disableErrorReporting: true })
)
