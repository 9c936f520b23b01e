/** A data directory with a vendor that can be asked what it was asked, and the jobs over it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Duration, Effect, Layer, References, Stream } from "effect"
import type { Backfill } from "../../../src/domain/Backfill.ts"
import type { JobId, JobSpec } from "../../../src/domain/Job.ts"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import { FirstRetryDelay } from "../../../src/layers/jobs/retryDelay.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"

export const hour = 3_600_000
export const start = Date.UTC(2024, 2, 1)

/** Requests of six hours each, one after another, within a budget that never makes them wait. */
export const limits = {
  concurrency: 1,
  windows: [{ name: "hourly", limit: 1_000, span: hour, key: null }],
  timeframes: { "1h": { maxSpan: 6 * hour, maxRows: null } }
} as const

export const vendorOf = (options: ModelVendor.ModelVendorOptions = {}) => ModelVendor.make({ limits, ...options })

export const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-jobs-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** All services over a directory, as its owner. */
export const over = (dataDir: string, vendor: ModelVendor.ModelVendor) =>
  Layer.effectDiscard(
    Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor.adapter)))
  ).pipe(
    Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, dataDir } })),
    Layer.provide(Layer.succeed(FirstRetryDelay, Duration.millis(50))),
    Layer.provide(NodeServices.layer),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )

/** So many requests of a symbol. */
export const backfill = (symbols: ReadonlyArray<string>, pieces = 4): Backfill => ({
  vendor: "model",
  symbols: [symbols[0] ?? "", ...symbols.slice(1)],
  timeframe: "1h",
  range: { start, end: start + pieces * 6 * hour }
})

export const specOf = (key: string, payload: Backfill, parts: Partial<JobSpec> = {}): JobSpec => ({
  key,
  type: "backfill",
  payload: JSON.parse(JSON.stringify(payload)),
  ...parts
})

/** Runs jobs beside `effect`, one at a time. */
export const working = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const queue = yield* JobQueue
    return yield* Effect.raceFirst(effect, queue.work({ concurrency: 1 }))
  })

/** The job when it has ended. */
export const ended = (job: JobId) =>
  Effect.gen(function* () {
    const queue = yield* JobQueue
    const last = yield* Stream.runLast(queue.watch(job))
    return last._tag === "Some" ? last.value : yield* Effect.die(new Error("nothing was told of the job"))
  })
