/** A Tapestry that is served on free ports of loopback, with a series of covered minute bars, and a client to measure it from. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, References, type Scope } from "effect"
import type { SeriesKey } from "../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../src/domain/TimeRange.ts"
import { defaults } from "../../src/layers/config/TapestryConfig.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../src/layers/testing/ModelVendor.ts"
import { serve } from "../../src/rpc/server/Served.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { StitchingCache } from "../../src/services/StitchingCache.ts"
import type { Job, Measured } from "./rpcClient.ts"

export const minute = 60_000

export interface BenchServer {
  readonly tcpPort: number
  readonly httpPort: number
  readonly series: SeriesKey
  readonly range: TimeRange
}

/** Serves `rows` covered minute bars, fetched from a vendor in this process, until `use` is done. */
export const withServer = <A, E>(
  rows: number,
  use: (server: BenchServer) => Effect.Effect<A, E, Tapestry.TapestryServices | Scope.Scope>
): Promise<A> => {
  const dataDir = mkdtempSync(join(tmpdir(), "tapestry-bench-rpc-"))
  const vendor = ModelVendor.make({ name: "bench", symbols: ["ES"] })
  const start = Date.UTC(2020, 0, 1)
  const range = { start, end: start + rows * minute }
  const series = vendor.series("ES", "1m")
  const program = Effect.gen(function* () {
    const registry = yield* AdapterRegistry
    yield* registry.register(Effect.succeed(vendor.adapter))
    const cache = yield* StitchingCache
    const { rowCount } = yield* cache.read({ series, range })
    if (rowCount !== rows) return yield* Effect.die(new Error(`${rowCount} rows are stored, not ${rows}`))
    const loopback = { host: "127.0.0.1", port: 0 }
    const addresses = yield* serve({
      product: "bench",
      http: { ...loopback, allowedHosts: [], allowedOrigins: [] },
      tcp: loopback,
      socket: null
    })
    return yield* use({ tcpPort: addresses.tcp?.port ?? 0, httpPort: addresses.http?.port ?? 0, series, range })
  })
  return Effect.runPromise(
    program.pipe(
      Effect.scoped,
      Effect.provide(Tapestry.layer({ dataDir, config: { ...defaults, dataDir } })),
      Effect.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
      Effect.provideService(References.MinimumLogLevel, "Warn")
    )
  ).finally(() => rmSync(dataDir, { recursive: true, force: true }))
}

const script = fileURLToPath(new URL("rpcClient.ts", import.meta.url))

/** Runs a job in a process of its own. */
export const measure = (job: Job): Effect.Effect<Measured> =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [script, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] })
    let text = ""
    child.stdout.on("data", (bytes) => {
      text += bytes
    })
    const [code] = await once(child, "close")
    if (code !== 0) throw new Error(`the client ended with ${code}`)
    return JSON.parse(text)
  })

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** A port of loopback that was free a moment ago. */
export const freePort = Effect.promise(
  () =>
    new Promise<number>((resolve) => {
      const server = createServer().listen(0, "127.0.0.1", () => {
        const address = server.address()
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
)
