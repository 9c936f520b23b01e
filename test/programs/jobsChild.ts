/**
 * A process that runs jobs, whose vendor and whose steps can be counted: both are written to a file, synced, before anything else happens.
 * Arguments:
 *
 *     dataDir log backfill <pieces> <millis>   so many requests of six hours each, one after another, each taking so long
 *     dataDir log traced <steps> <millis>      a job of steps that do nothing but say so
 *
 * It goes the way of the command line's commands (throughOwner): it runs the job, or asks the process that does. While the file `<log>.stall`
 * holds the number of a request, that one does not reach the vendor. Prints one JSON document: the job, its attempts, and what is stored.
 */
import { existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Duration, Effect, Layer, References, Schema, Stream } from "effect"
import { type JobSpec, nothingDone } from "../../src/domain/Job.ts"
import * as TapestryConfig from "../../src/layers/config/TapestryConfig.ts"
import { FirstRetryDelay } from "../../src/layers/jobs/retryDelay.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../src/layers/testing/ModelVendor.ts"
import { documentOf } from "../../src/programs/failure/Failure.ts"
import { throughOwner } from "../../src/programs/owner/throughOwner.ts"
import { runMain } from "../../src/programs/runMain.ts"
import * as Output from "../../src/programs/terminal/Output.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { JobQueue, type JobType } from "../../src/services/JobQueue.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"

const [dataDir = "", logfile = "", mode = "backfill", count = "4", millis = "0"] = process.argv.slice(2)
const hour = 3_600_000
const start = Date.UTC(2024, 2, 1)
const range = { start, end: start + Number(count) * 6 * hour }
const log = openSync(logfile, "a")

const say = (text: string) =>
  Effect.sync(() => {
    writeSync(log, `${text}\n`)
    fsyncSync(log)
  })

const stall = `${logfile}.stall`
const stalled = (piece: number) => existsSync(stall) && readFileSync(stall, "utf8").trim() === String(piece)

const vendor = ModelVendor.make({
  latency: [Number(millis), Number(millis)],
  limits: {
    concurrency: 1,
    windows: [{ name: "hourly", limit: 10_000, span: hour, key: null }],
    timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } }
  },
  onRequest: ({ range }) => {
    const piece = (range.start - start) / (6 * hour)
    return Effect.suspend(() => (stalled(piece) ? Effect.never : say(String(piece))))
  }
})

const traced: JobType = {
  name: "traced",
  read: () => Effect.succeed({ provider: "none", mode: "backfill", symbols: [], range: null }),
  run: ({ step }) =>
    Effect.gen(function* () {
      for (let n = 0; n < Number(count); n++) {
        yield* step(
          `${n}`,
          Schema.Int,
          Effect.gen(function* () {
            yield* say(`${process.pid} begins ${n}`)
            yield* Effect.sleep(Number(millis))
            yield* say(`${process.pid} ends ${n}`)
            return n
          })
        )
      }
      return { outcome: { ...nothingDone, rows: Number(count) } }
    })
}

const services = Layer.effectDiscard(
  Effect.gen(function* () {
    yield* (yield* AdapterRegistry).register(Effect.succeed(vendor.adapter))
    yield* (yield* JobQueue).register(traced)
  })
).pipe(
  Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, dataDir }, product: "test" })),
  Layer.provide(Layer.succeed(FirstRetryDelay, Duration.millis(50))),
  Layer.provide(NodeServices.layer)
)

const spec: JobSpec =
  mode === "traced"
    ? { key: "traced", type: "traced", payload: null }
    : { key: "all", type: "backfill", payload: { vendor: "model", symbols: ["ALPHA"], timeframe: "1h", range } }

const command = Effect.gen(function* () {
  const queue = yield* JobQueue
  const { job } = yield* queue.enqueue(spec)
  yield* Effect.raceFirst(Stream.runDrain(queue.watch(job.id)), queue.work({ only: [job.id] }))
  const runs = yield* queue.runs(job.id)
  const cache = yield* StitchingCache
  const answer = yield* cache.read(
    { series: vendor.series("ALPHA", "1h"), range, policy: "cacheOnly" },
    { onMissing: "partial" }
  )
  const bars = yield* Stream.runCollect(answer.bars)
  const direct = mode === "traced" ? [] : yield* vendor.direct(vendor.series("ALPHA", "1h"), range)
  return {
    job: (yield* queue.get(job.id)).job,
    runs,
    rows: bars.length,
    equal: JSON.stringify(bars) === JSON.stringify(direct)
  }
})

const print = (document: unknown) => Effect.sync(() => process.stdout.write(`${JSON.stringify(document)}\n`))

throughOwner(
  { dataDir, product: "test", vendors: new Set(["model"]), store: null, services: Effect.succeed(services) },
  command,
  () => command
).pipe(
  Effect.flatMap(print),
  Effect.catch((error) => print(documentOf(Cause.fail(error)))),
  Effect.provide(Layer.merge(NodeServices.layer, Output.layer)),
  Effect.provideService(References.MinimumLogLevel, "Error"),
  (program) => runMain(program, { disableErrorReporting: true })
)
