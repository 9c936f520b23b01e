/**
 * The client of the bench of an RPC's latency, in a process of its own: subscribes to trades over TCP by the client of the package, or echoes texts
 * by effect's own. A trade's `size` is when it was sent, in microseconds of the machine's monotonic clock. What was measured is one line of JSON.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, FiberSet, Layer, Stream } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../src/rpc/client/TcpClient.ts"
import { BaselineRpcs } from "./baselineRpc.ts"

export interface TickJob {
  readonly port: number
  readonly of: "ticks" | "echo"
  readonly symbols: ReadonlyArray<string>
  /** Of what is echoed. */
  readonly bytes: number
  readonly millis: number
}

export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

const host = "127.0.0.1"
const micros = () => Number(process.hrtime.bigint() / 1_000n)

/** Milliseconds. */
const summary = (taken: Array<number>): Latency => {
  taken.sort((a, b) => a - b)
  const at = (share: number) => taken[Math.floor(taken.length * share)] ?? Number.NaN
  return { count: taken.length, p50: at(0.5), p99: at(0.99), worst: taken.at(-1) ?? Number.NaN }
}

/** Until a trade without a size has come. */
const ticks = Effect.fnUntraced(function* ({ symbols }: TickJob) {
  const client = yield* TapestryClient
  const taken: Array<number> = []
  let open = 0
  yield* client["Streams.subscribe"]({
    vendor: "bench",
    streams: symbols.map((symbol) => ({ symbol, kind: "trades" as const }))
  }).pipe(
    Stream.takeUntil(({ event }) => {
      if (event._tag === "Started" && ++open === symbols.length) console.log("ready")
      if (event._tag !== "Trades") return false
      const now = micros()
      for (const { size } of event.rows) if (size !== null && size > 0) taken.push((now - size) / 1_000)
      return event.rows.at(-1)?.size === 0
    }),
    Stream.runDrain
  )
  return summary(taken)
})

const echo = Effect.fnUntraced(function* ({ bytes, millis }: TickJob) {
  const client = yield* RpcClient.make(BaselineRpcs, { disableTracing: true })
  const text = "x".repeat(bytes)
  const taken: Array<number> = []
  console.log("ready")
  const call = Effect.suspend(() => {
    const began = micros()
    return Effect.map(client["Baseline.echo"]({ text }), () => {
      taken.push((micros() - began) / 1_000)
    })
  })
  // As often as ticks come, whether the last has been answered or not: else a pause of a machine would be one slow call of many.
  const began = performance.now()
  const calls = yield* FiberSet.make<void, Effect.Error<typeof call>>()
  for (let made = 0; made < millis; made++) {
    const wait = began + made - performance.now()
    if (wait > 0) yield* Effect.sleep(wait)
    yield* FiberSet.run(calls, call, { startImmediately: true })
  }
  yield* FiberSet.awaitEmpty(calls)
  return summary(taken)
})

if (import.meta.main) {
  const job: TickJob = JSON.parse(process.argv[2] ?? "{}")
  const baseline = RpcClient.layerProtocolSocket().pipe(
    Layer.provide([NodeSocket.layerNet({ port: job.port, host }), RpcSerialization.layerNdjson])
  )
  const say = (found: Latency) => Effect.sync(() => console.log(JSON.stringify(found)))
  if (job.of === "echo") NodeRuntime.runMain(Effect.provide(Effect.scoped(Effect.flatMap(echo(job), say)), baseline))
  else NodeRuntime.runMain(Effect.provide(Effect.flatMap(ticks(job), say), TcpClient.layer({ host, port: job.port })))
}
