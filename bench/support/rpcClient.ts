/**
 * The client of the RPC benches, in a process of its own. Its one argument is a job as JSON; what it measured is one line of
 * JSON on standard output. Both ends are called through effect's own client.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { Effect, Layer, Schema, Stream } from "effect"
import { RpcClient, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { SeriesKey } from "../../src/domain/SeriesKey.ts"
import { TimeRange } from "../../src/domain/TimeRange.ts"
import { TapestryRpcs } from "../../src/rpc/contract/TapestryRpcs.ts"
import { BaselineRpcs } from "./baselineRpc.ts"

export const Job = Schema.Struct({
  transport: Schema.Literals(["tcp", "websocket"]),
  port: Schema.Int,
  /** Which server is there. */
  of: Schema.Literals(["tapestry", "baseline"]),
  work: Schema.Union([
    /** Reads the whole range `runs` times, after one time that is not counted. */
    Schema.Struct({ _tag: Schema.tag("Rows"), runs: Schema.Int }),
    /** Small calls, `atOnce` in flight, for so many milliseconds, after a second that is not counted. */
    Schema.Struct({ _tag: Schema.tag("Calls"), atOnce: Schema.Int, millis: Schema.Int })
  ]),
  series: SeriesKey,
  range: TimeRange
})
export type Job = typeof Job.Type

/** Milliseconds of each run and the rows it gave; or calls a second and the 99th percentile of their milliseconds. */
export type Measured =
  | { readonly rows: number; readonly millis: ReadonlyArray<number> }
  | { readonly perSecond: number; readonly p50: number; readonly p99: number; readonly worst: number }

const protocolOf = (job: Job) =>
  job.transport === "tcp"
    ? RpcClient.layerProtocolSocket().pipe(
        Layer.provide([NodeSocket.layerNet({ port: job.port, host: "127.0.0.1" }), RpcSerialization.layerNdjson])
      )
    : RpcClient.layerProtocolSocket().pipe(
        Layer.provide([
          Socket.layerWebSocket(`ws://127.0.0.1:${job.port}/rpc`).pipe(
            Layer.provide(Socket.layerWebSocketConstructorGlobal)
          ),
          RpcSerialization.layerSchemaBinary()
        ])
      )

interface Calls<E> {
  readonly rows: Effect.Effect<number, E>
  readonly one: Effect.Effect<unknown, E>
}

const countRows = <A, E>(stream: Stream.Stream<A, E>) =>
  Stream.runFold(
    Stream.chunks(stream),
    () => 0,
    (found, chunk) => found + chunk.length
  )

const callsOf = Effect.fnUntraced(function* (job: Job) {
  const { range, series } = job
  if (job.of === "baseline") {
    const client = yield* RpcClient.make(BaselineRpcs, { disableTracing: true })
    return { rows: countRows(client["Baseline.rows"]()), one: client["Baseline.echo"]({ text: "one bar" }) }
  }
  const client = yield* RpcClient.make(TapestryRpcs, { disableTracing: true })
  let next = 0
  return {
    rows: countRows(client["Series.bars"]({ series, range })),
    // Another bar each time.
    one: Effect.suspend(() => {
      const start = range.start + 60_000 * (next++ % ((range.end - range.start) / 60_000))
      return Effect.tap(client["Series.page"]({ series, range: { start, end: start + 60_000 } }), ({ bars }) =>
        bars.length === 1 ? Effect.void : Effect.die(new Error(`${bars.length} bars at ${start}`))
      )
    })
  }
})

const measureRows = Effect.fnUntraced(function* <E>(calls: Calls<E>, runs: number) {
  let rows = yield* calls.rows
  const millis: Array<number> = []
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    rows = yield* calls.rows
    millis.push(performance.now() - began)
  }
  return { rows, millis }
})

const measureCalls = Effect.fnUntraced(function* <E>(calls: Calls<E>, atOnce: number, millis: number) {
  const began = performance.now() + 1_000
  const end = began + millis
  const taken: Array<number> = []
  const worker = Effect.gen(function* () {
    for (;;) {
      const start = performance.now()
      if (start >= end) return
      yield* calls.one
      if (start >= began) taken.push(performance.now() - start)
    }
  })
  yield* Effect.all(
    Array.from({ length: atOnce }, () => worker),
    { concurrency: "unbounded", discard: true }
  )
  taken.sort((a, b) => a - b)
  const at = (share: number) => taken[Math.floor(taken.length * share)] ?? Number.NaN
  return { perSecond: (taken.length / millis) * 1_000, p50: at(0.5), p99: at(0.99), worst: taken.at(-1) ?? Number.NaN }
})

if (import.meta.main) {
  const program = Effect.gen(function* () {
    const job = yield* Schema.decodeUnknownEffect(Schema.fromJsonString(Job))(process.argv[2])
    const measured: Measured = yield* Effect.gen(function* () {
      const calls = yield* callsOf(job)
      return yield* job.work._tag === "Rows"
        ? measureRows(calls, job.work.runs)
        : measureCalls(calls, job.work.atOnce, job.work.millis)
    }).pipe(Effect.scoped, Effect.provide(protocolOf(job)))
    console.log(JSON.stringify(measured))
  })
  NodeRuntime.runMain(program)
}
