/** A connection that is refused as a whole, and a call that no server takes: each call fails with the error that says so. */
import { createServer as createHttpServer } from "node:http"
import { createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Fiber, Layer, Schema, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as HttpClient from "../../../src/rpc/client/HttpClient.ts"
import * as RemoteStitchingCache from "../../../src/rpc/client/RemoteStitchingCache.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import * as WebSocketClient from "../../../src/rpc/client/WebSocketClient.ts"
import { type CacheUnavailable, StitchingCache } from "../../../src/services/StitchingCache.ts"
import * as World from "../handlers/world.ts"
import { clientOf, place, start, temporary } from "./support.ts"

const series = World.seriesOf("ALPHA", "1h")
const range = World.between("2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z")

const lines = {
  TooBusy: '{"_tag":"TooBusy","limit":"connections","max":1024,"message":"m"}\n',
  ShuttingDown: '{"_tag":"ShuttingDown","message":"m"}\n',
  ProtocolError: '{"_tag":"ProtocolError","code":"TooLong","line":1,"message":"m"}\n'
}

const Port = Schema.Struct({ port: Schema.Int })
const portOf = (server: Server) => Schema.decodeUnknownSync(Port)(server.address()).port

const listening = (server: Server, at: string | 0): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const listens = () => resume(Effect.succeed(server))
      if (at === 0) server.listen(0, "127.0.0.1", listens)
      else server.listen(at, listens)
    }),
    () => Effect.sync(() => server.close())
  )

/** Says each of `said` to one connection, the moment that it comes, and ends it; the last to all that come later. */
const saying = (...said: ReadonlyArray<string>): Server => {
  let next = 0
  return createServer((socket: Socket) => {
    socket.on("error", () => {})
    socket.resume()
    socket.end(said[Math.min(next++, said.length - 1)] ?? "")
  })
}

const over = {
  tcp: (server: Server) =>
    Effect.map(listening(server, 0), () => TcpClient.layer({ host: "127.0.0.1", port: portOf(server) })),
  unix: (server: Server) =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "s")
      yield* listening(server, path)
      return UnixClient.layer({ path })
    })
}

const hello = TapestryClient.use((client) => Effect.flip(client["System.hello"]()))
const rows = TapestryClient.use((client) => Effect.flip(Stream.runDrain(client["Series.bars"]({ series, range }))))

/** What the cache of another process says when its call fails. */
const unavailable = <E, R>(client: Layer.Layer<TapestryClient, E, R>) =>
  StitchingCache.use((cache) => Effect.flip(cache.plan({ series, range }))).pipe(
    Effect.map(({ reason }) => {
      assert.strictEqual(reason._tag, "CacheUnavailable")
      return reason as CacheUnavailable
    }),
    Effect.provide(Layer.provide(RemoteStitchingCache.layer, client)),
    Effect.timeout("10 seconds")
  )

for (const [transport, connect] of Object.entries(over)) {
  describe(`a connection that is refused, over ${transport}`, () => {
    for (const [tag, line] of Object.entries(lines)) {
      it.live(`fails the calls in flight with ${tag}, and the next call has a new connection`, () =>
        Effect.gen(function* () {
          const client = yield* connect(saying(line, line, lines.TooBusy))
          yield* Effect.gen(function* () {
            const both = Effect.all([hello, rows], { concurrency: "unbounded" })
            for (const error of yield* both) assert.strictEqual(error._tag, tag, String(error))
            // The second of them may have had a connection of its own.
            yield* Effect.ignore(hello)
            assert.strictEqual((yield* hello)._tag, "TooBusy")
          }).pipe(Effect.provide(client), Effect.timeout("10 seconds"))
        }).pipe(Effect.scoped)
      )
    }

    it.live("is worth another try when the server is full or goes down, and not when a line was too long", () =>
      Effect.gen(function* () {
        const busy = yield* unavailable(yield* connect(saying(lines.TooBusy)))
        assert.deepInclude(busy, {
          again: true,
          message: "1024 connections are open already; end some, or try again later"
        })
        assert.isTrue((yield* unavailable(yield* connect(saying(lines.ShuttingDown)))).again)
        assert.isFalse((yield* unavailable(yield* connect(saying(lines.ProtocolError)))).again)
      }).pipe(Effect.scoped)
    )
  })
}

/** Answers a request with 503 and TooBusy, and an upgrade, too; or nothing at all. */
const http = (answers: boolean) => {
  const server = createHttpServer((request, response) => {
    request.resume()
    if (answers) response.writeHead(503, { "content-type": "application/x-ndjson" }).end(lines.TooBusy)
  })
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\r\n"))
  return Effect.map(
    Effect.tap(listening(server, 0), () => Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))),
    () => `127.0.0.1:${portOf(server)}/rpc`
  )
}

describe("a server that is full", () => {
  it.live("is worth another try over HTTP", () =>
    Effect.gen(function* () {
      const url = `http://${yield* http(true)}`
      const { again, message } = yield* unavailable(HttpClient.layer({ url }))
      assert.isTrue(again)
      assert.include(message, "1024 connections")
    }).pipe(Effect.scoped)
  )

  it.live("and over a WebSocket, which is not told why it was refused", () =>
    Effect.gen(function* () {
      const url = `ws://${yield* http(true)}`
      assert.isTrue((yield* unavailable(WebSocketClient.layer({ url }))).again)
    }).pipe(Effect.scoped)
  )
})

describe("a server that is silent", () => {
  it.effect("is worth another try over HTTP, after eight seconds", () =>
    Effect.gen(function* () {
      const url = `http://${yield* http(false)}`
      const fiber = yield* Effect.forkChild(
        StitchingCache.use((cache) => Effect.flip(cache.plan({ series, range }))).pipe(
          Effect.provide(Layer.provide(RemoteStitchingCache.layer, HttpClient.layer({ url })))
        )
      )
      yield* TestClock.adjust("7900 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("200 millis")
      assert.deepInclude((yield* Fiber.join(fiber)).reason, { _tag: "CacheUnavailable", again: true })
    }).pipe(Effect.scoped)
  )
})

describe("a call of more than 1 MiB", () => {
  it.live("fails by itself over each transport, and the others go on", () =>
    Effect.gen(function* () {
      const where = yield* place
      yield* start(where)
      for (const transport of ["tcp", "unix", "websocket", "http"] as const) {
        yield* Effect.gen(function* () {
          const client = yield* TapestryClient
          const slow = { ...series, vendor: "slow" }
          const other = yield* Effect.forkChild(Stream.runDrain(client["Series.read"]({ series: slow, range })))
          const { product } = yield* client["System.hello"]()
          assert.strictEqual(product, "0.0.0-test")
          // Two bytes each in UTF-8, so that counting characters would not see it.
          const error = yield* Effect.flip(client["Vendors.describe"]({ vendor: "\u00e4".repeat(600_000) }))
          assert.deepInclude(error, { _tag: "ProtocolError", code: "TooLong" }, `${transport}: ${String(error)}`)
          const long = yield* Effect.flip(Stream.runDrain(client["Vendors.symbols"]({ vendor: "v".repeat(1_100_000) })))
          assert.deepInclude(long, { _tag: "ProtocolError", code: "TooLong" })
          // What just fits is for the server to answer.
          const fits = yield* Effect.flip(client["Vendors.describe"]({ vendor: "v".repeat(1_048_000) }))
          assert.strictEqual(fits._tag, "AdapterRegistryError", transport)
          assert.isUndefined(other.pollUnsafe(), `${transport}: the other call was lost`)
          yield* Fiber.interrupt(other)
          const ended = yield* Fiber.await(other)
          assert.isTrue(ended._tag === "Failure" && Cause.hasInterruptsOnly(ended.cause))
        }).pipe(Effect.provide(clientOf(transport, where)))
      }
    }).pipe(Effect.scoped)
  )
})
