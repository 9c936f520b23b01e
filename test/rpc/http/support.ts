/** An HTTP listener on a free port of loopback, over the real host with a few procedures of its own, and raw clients for it. */
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http"
import { connect, type Socket } from "node:net"
import { Context, Deferred, Effect, Layer, Ref, Schema, Stream } from "effect"
import { NetAddress } from "effect/net"
import { Rpc, RpcGroup } from "effect/rpc"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { Border, OnShutdown } from "../../../src/rpc/contract/Border.ts"
import { type HttpListenerOptions, listen } from "../../../src/rpc/server/HttpListener.ts"
import { RpcHost } from "../../../src/rpc/server/RpcHost.ts"
import * as RpcHostLive from "../../../src/rpc/server/RpcHostLive.ts"
import type { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { ContractLookups } from "../../../src/services/ContractLookups.ts"
import { ControlPlane } from "../../../src/services/ControlPlane.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"

export class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

export const Row = Schema.Struct({ n: Schema.Finite, text: Schema.String })

export class TestRpcs extends RpcGroup.make(
  Rpc.make("Echo", { payload: { text: Schema.String }, success: Schema.String, error: Refused }),
  /** So many characters, a moment later. */
  Rpc.make("Large", { payload: { bytes: Schema.Int }, success: Schema.String }),
  /** The correlation header, or null. */
  Rpc.make("Named", { success: Schema.NullOr(Schema.String) }),
  Rpc.make("Rows", { payload: { count: Schema.Int, chunk: Schema.Int }, success: Row, stream: true }).annotate(
    OnShutdown,
    "cut"
  ),
  /** One row, and another when the gate is open. */
  Rpc.make("Gated", { success: Row, stream: true }),
  /** Until the gate is open. */
  Rpc.make("Waiting", { success: Schema.Void }),
  Rpc.make("Never", { success: Schema.Void }),
  Rpc.make("Broken", { success: Schema.Void })
).middleware(Border) {}

/** What the handlers saw. */
export class Seen extends Context.Service<
  Seen,
  {
    readonly rows: Ref.Ref<number>
    readonly began: Deferred.Deferred<void>
    readonly interrupted: Deferred.Deferred<void>
    readonly gate: Deferred.Deferred<void>
  }
>()("test/Seen") {}

const filler = "x".repeat(100)

const handlers = TestRpcs.toLayer(
  Effect.gen(function* () {
    const seen = yield* Seen
    return TestRpcs.of({
      Echo: ({ text }) => (text === "refuse me" ? Effect.fail(new Refused({ why: text })) : Effect.succeed(text)),
      Large: ({ bytes }) => Effect.as(Effect.sleep(5), "x".repeat(bytes)),
      Named: (_, { headers }) => Effect.succeed(headers["x-correlation-id"] ?? null),
      Rows: ({ chunk, count }) =>
        Stream.range(1, count).pipe(
          Stream.map((n) => ({ n, text: filler })),
          Stream.rechunk(chunk),
          Stream.mapArrayEffect((rows) =>
            Effect.as(
              Ref.update(seen.rows, (n) => n + rows.length),
              rows
            )
          ),
          Stream.ensuring(Deferred.succeed(seen.interrupted, undefined))
        ),
      Gated: () =>
        Stream.make(1, 2).pipe(
          Stream.rechunk(1),
          Stream.mapEffect((n) => Effect.as(n === 1 ? Effect.void : Deferred.await(seen.gate), { n, text: filler }))
        ),
      Waiting: () => Deferred.await(seen.gate),
      Never: () =>
        Deferred.succeed(seen.began, undefined).pipe(
          Effect.andThen(Effect.never),
          Effect.onInterrupt(() => Deferred.succeed(seen.interrupted, undefined))
        ),
      Broken: () => Effect.die(new Error("a secret"))
    })
  })
)

const border = Layer.succeed(Border, (effect) => effect)

export interface Server {
  readonly port: number
  readonly host: RpcHost["Service"]
  readonly seen: Seen["Service"]
}

const stores = Layer.mergeAll(
  Layer.mock(MarketStore, { newestResponse: Effect.succeed(null) }),
  Layer.mock(ProvenanceStore, { sessions: () => Effect.succeed([]) })
)

const noStreams = Layer.mergeAll(
  Layer.mock(MarketStreams, { states: Effect.succeed([]) }),
  Layer.mock(StitchingCache, {}),
  AdapterRegistryInMemory.layer
)

/** Listens until the scope of the test closes. */
export const serve = Effect.fnUntraced(function* (
  options: Partial<HttpListenerOptions> = {},
  provided: Layer.Layer<MarketStore | ProvenanceStore> = stores,
  control: Layer.Layer<ControlPlane> = Layer.mock(ControlPlane, {}),
  jobs: Layer.Layer<JobQueue> = Layer.mock(JobQueue, {}),
  live: Layer.Layer<MarketStreams | AdapterRegistry | StitchingCache> = noStreams,
  lookups: Layer.Layer<ContractLookups> = Layer.mock(ContractLookups, {})
) {
  const seen = {
    rows: yield* Ref.make(0),
    began: yield* Deferred.make<void>(),
    interrupted: yield* Deferred.make<void>(),
    gate: yield* Deferred.make<void>()
  }
  const context = yield* Layer.build(
    Layer.effect(
      RpcHost,
      Effect.suspend(() => RpcHostLive.make(TestRpcs))
    ).pipe(
      Layer.provide([handlers, border]),
      Layer.provide(Layer.succeed(Seen, seen)),
      Layer.provideMerge(Layer.mergeAll(provided, control, jobs, live, lookups))
    )
  )
  const { address } = yield* Effect.provideContext(
    listen({ host: "127.0.0.1", port: 0, allowedHosts: [], allowedOrigins: [], ...options }),
    context
  )
  const port = NetAddress.isUnixPathAddress(address) ? 0 : address.port
  const server: Server = { port, host: Context.get(context, RpcHost), seen }
  return server
})

/** An open TCP connection, ended with the test. `all` is what has come so far. */
export const connection = Effect.fnUntraced(function* (port: number) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  const chunks: Array<Buffer> = []
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()))
  const bytes = () => Buffer.concat(chunks)
  return {
    socket,
    bytes,
    all: () => bytes().toString(),
    closed: Effect.promise(() => closed),
    /** Done when what has come matches. */
    until: (expected: RegExp | ((all: Buffer) => boolean)) =>
      Effect.callback<string>((resume) => {
        const look = () => {
          const matches = expected instanceof RegExp ? expected.test(bytes().toString()) : expected(bytes())
          if (!matches) return
          socket.off("data", look)
          resume(Effect.succeed(bytes().toString()))
        }
        socket.on("data", look)
        look()
      })
  }
})

/** Sends exactly this and gives all that comes until the server closes. */
export const raw = Effect.fnUntraced(function* (port: number, text: string | Buffer) {
  const opened = yield* connection(port)
  opened.socket.write(text)
  yield* opened.closed
  return opened.all()
}, Effect.scoped)

/** One turn of the event loop, for what the network still has to bring. */
export const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Of a WebSocket's handshake. */
export const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
}

/** The head of a request that is not kept alive. */
export const head = (first: string, headers: Readonly<Record<string, string>> = {}): string =>
  [
    `${first} HTTP/1.1`,
    ...Object.entries({ host: "localhost", connection: "close", ...headers }).map(
      ([name, value]) => `${name}: ${value}`
    ),
    "",
    ""
  ].join("\r\n")

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** The lines of the body, parsed. */
  readonly lines: ReadonlyArray<Record<string, unknown>>
}

const parsed = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return []
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? [Object.fromEntries(Object.entries(value))] : []
  })

/** One request by node's own client. */
export const ask = (
  port: number,
  options: {
    readonly method?: string
    readonly path?: string
    readonly headers?: OutgoingHttpHeaders
    readonly body?: string | Buffer
  }
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    const { body, headers = {}, method = "GET", path = "/" } = options
    const request = httpRequest({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () => {
        const bytes = Buffer.concat(chunks)
        const text = bytes.toString()
        const isText = response.headers["content-encoding"] === undefined && text.startsWith("{")
        const lines = isText ? parsed(text) : []
        resume(Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, lines }))
      })
    })
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
    return Effect.sync(() => request.destroy())
  })

/** POST /rpc with these lines. */
export const post = (port: number, body: string | Buffer, headers: OutgoingHttpHeaders = {}) =>
  ask(port, { method: "POST", path: "/rpc", body, headers: { "content-type": "application/x-ndjson", ...headers } })

export const call = (id: string | number, tag: string, payload?: unknown): string =>
  `${JSON.stringify({ _tag: "Request", id, tag, ...(payload === undefined ? {} : { payload }), headers: [] })}\n`
