/** What a client leaves behind: nothing. And servers that are none: deaf, half closed, talking nonsense. */

import { spawn } from "node:child_process"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import { place, start, type Transport, transports } from "./support.ts"

const program = fileURLToPath(new URL("./onlyConnects.ts", import.meta.url))

const run = (transport: Transport, address: string, calls: number) =>
  Effect.callback<{ readonly code: number | null; readonly said: string }>((resume) => {
    const child = spawn(process.execPath, [program, transport, address, `${calls}`], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 20_000
    })
    let said = ""
    child.stdout.on("data", (text) => {
      said += text
    })
    child.once("close", (code) => resume(Effect.succeed({ code, said })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** A TCP server on a free port that does what the test says with each connection. */
const peer = (onConnection: (socket: Socket, nth: number) => void): Effect.Effect<number, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Server; readonly sockets: Set<Socket> }>((resume) => {
        const sockets = new Set<Socket>()
        const server = createServer({ allowHalfOpen: true }, (socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          onConnection(socket, sockets.size)
        }).listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
      }),
      ({ server, sockets }) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    ),
    ({ server }) => (server.address() as AddressInfo).port
  )

const exit = (id: string, value: unknown) =>
  `${JSON.stringify({ _tag: "Exit", requestId: id, exit: { _tag: "Success", value } })}\n`
const hello = { protocol: 1, product: "peer", capabilities: [], procedures: [], startedAt: 0, now: 0, more: "unknown" }

/** Answers every call with hello. */
const answering = (socket: Socket) => {
  socket.setEncoding("utf8").on("data", (text: string) => {
    for (const line of text.trimEnd().split("\n")) {
      const { _tag, id } = JSON.parse(line)
      if (_tag === "Request") socket.write(exit(id, hello))
    }
  })
}

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.flip,
    Effect.map((error) => error._tag),
    Effect.timeout("5 seconds")
  )

describe("a process that made a client and closed its scope", () => {
  it.live(
    "ends by itself, with and without calls, with and without a server",
    () =>
      Effect.gen(function* () {
        const where = yield* place
        const address = (transport: Transport) =>
          transport === "unix" ? where.socket : `${transport === "tcp" ? where.tcp : where.http}`
        const check = (calls: number) =>
          Effect.forEach(
            transports,
            (transport) =>
              Effect.map(run(transport, address(transport), calls), ({ code, said }) => {
                assert.strictEqual(code, 0, `${transport}: ${said}`)
                assert.isBelow(Number(/ended (\d+) ms/.exec(said)?.[1]), 1_000, `${transport}: ${said}`)
              }),
            { concurrency: 2 }
          )
        yield* check(1)
        yield* start(where)
        yield* check(0)
        yield* check(3)
      }).pipe(Effect.scoped),
    60_000
  )
})

describe("a client and a peer that is no good server", () => {
  it.live("no connection is made before the first call, and one for all calls", () =>
    Effect.gen(function* () {
      let connections = 0
      const port = yield* peer((socket) => {
        connections += 1
        answering(socket)
      })
      yield* Effect.gen(function* () {
        const client = yield* TapestryClient
        yield* Effect.sleep("50 millis")
        assert.strictEqual(connections, 0)
        yield* Effect.all(
          Array.from({ length: 64 }, () => client["System.hello"]()),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(connections, 1)
      }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port })))
    }).pipe(Effect.scoped)
  )

  it.live("half closed: calls in flight fail at once, and the next call has a new connection", () =>
    Effect.gen(function* () {
      const port = yield* peer((socket, nth) => {
        if (nth > 1) return answering(socket)
        socket.once("data", () => socket.end())
      })
      yield* Effect.gen(function* () {
        const client = yield* TapestryClient
        const both = [client["System.hello"](), Stream.runDrain(client["Series.list"]())] as const
        assert.deepStrictEqual(
          yield* Effect.forEach(both, (call) => tagOf<unknown, { _tag: string }, never>(call), { concurrency: 2 }),
          ["RpcClientError", "RpcClientError"]
        )
        assert.strictEqual((yield* client["System.hello"]()).product, "peer")
      }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port })))
    }).pipe(Effect.scoped)
  )

  it.live("talking nonsense: calls in flight fail, and the next call has a new connection", () =>
    Effect.gen(function* () {
      const nonsense = ["not json\n", '"a string"\n', '{"_tag":"Exit","requestId":"0"}\n', "\u0000\n", "null\n"]
      for (const text of nonsense) {
        const port = yield* peer((socket, nth) => {
          if (nth > 1) return answering(socket)
          socket.once("data", () => socket.end(text))
        })
        yield* Effect.gen(function* () {
          const client = yield* TapestryClient
          assert.strictEqual(yield* tagOf(client["System.hello"]()), "RpcClientError", text)
          assert.strictEqual((yield* client["System.hello"]()).product, "peer")
        }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port })))
      }
    }).pipe(Effect.scoped)
  )

  it.live("a refusal of the protocol reaches the call that it names, and all calls when it names none", () =>
    Effect.gen(function* () {
      const refusal = { _tag: "ProtocolError", code: "TooLong", line: 1, message: "a line of more than 1 MiB" }
      const port = yield* peer((socket, nth) => {
        if (nth > 1) return answering(socket)
        socket.setEncoding("utf8").once("data", (text: string) => {
          const { id } = JSON.parse(text.split("\n")[0] ?? "")
          socket.write(`${JSON.stringify({ ...refusal, id })}\n`)
          socket.once("data", () => socket.write(`${JSON.stringify(refusal)}\n`))
        })
      })
      yield* Effect.gen(function* () {
        const client = yield* TapestryClient
        assert.strictEqual(yield* tagOf(client["System.hello"]()), "ProtocolError")
        assert.strictEqual(yield* tagOf(client["System.hello"]()), "ProtocolError")
        assert.strictEqual((yield* client["System.hello"]()).product, "peer")
      }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port })))
    }).pipe(Effect.scoped)
  )

  it.live("an interrupted call leaves the connection to the others", () =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      const port = yield* peer((socket) => {
        socket.setEncoding("utf8").on("data", (text: string) => {
          for (const line of text.trimEnd().split("\n")) {
            const { _tag, id, tag } = JSON.parse(line)
            seen.push(_tag)
            if (tag === "System.hello") socket.write(exit(id, hello))
          }
        })
      })
      yield* Effect.gen(function* () {
        const client = yield* TapestryClient
        yield* Effect.timeoutOption(client["System.health"](), "100 millis")
        assert.strictEqual((yield* client["System.hello"]()).product, "peer")
        assert.deepStrictEqual(seen, ["Request", "Interrupt", "Request"])
      }).pipe(Effect.provide(TcpClient.layer({ host: "127.0.0.1", port })))
    }).pipe(Effect.scoped)
  )
})
