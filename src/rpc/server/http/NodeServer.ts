/**
 * Node's HTTP server for as long as a scope lives: it listens, runs an effect for each connection, request and upgrade, and goes
 * down in order.
 *
 * Going down: nobody new is let in and idle connections are closed; whatever still runs is interrupted (WebSockets say 1001,
 * see WebSocketPipe), and after `closeGraceMillis` connections that are open all the same are cut.
 *
 * What is no HTTP at all, or has a head that is too large, node itself answers (400, 431) and closes; a request that does not
 * come whole within the deadlines gets 408. None of it reaches the log.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { Effect, FiberSet, Scope } from "effect"
import { ListenError } from "../ListenError.ts"
import { maxConnections } from "../limits.ts"

export interface ListenOptions {
  readonly host: string
  /** 0 takes one that is free. */
  readonly port: number
}

export interface Handlers {
  /** Runs while the connection is open. */
  readonly connection: (socket: Socket) => Effect.Effect<void>
  readonly request: (request: IncomingMessage, response: ServerResponse) => void
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => Effect.Effect<void>
}

const minute = 60_000
const closeGraceMillis = 1_000

/** Connections beyond those that can be refused in words are cut without one. */
const spare = 256

// An import by name reads every export of node:http, and its WebSocket loads undici: 13 MB, for nothing that is used here.
const { createServer } = process.getBuiltinModule("node:http")

const isWebSocket = (request: IncomingMessage) => request.headers.upgrade?.toLowerCase() === "websocket"

const make = () => {
  const server = createServer({
    headersTimeout: minute,
    requestTimeout: 5 * minute,
    connectionsCheckingInterval: minute / 4,
    // Other protocols (curl asks for h2c) may be declined, and the request is answered as it is.
    shouldUpgradeCallback: isWebSocket
  })
  server.maxConnections = maxConnections + spare
  return server
}

const listening = (server: Server, { host, port }: ListenOptions): Effect.Effect<AddressInfo, ListenError> =>
  Effect.callback((resume) => {
    const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`
    const failed = (error: Error) => resume(Effect.fail(ListenError.of(address, error)))
    server.once("error", failed)
    server.listen({ host, port }, () => {
      server.off("error", failed)
      const bound = server.address()
      if (bound === null || typeof bound === "string") return failed(new Error("the server has no port"))
      resume(Effect.succeed(bound))
    })
  })

/** Lets nobody new in. What is idle is closed, what is asked and answered goes on. */
const stop = (server: Server) => {
  server.close()
  server.closeIdleConnections()
}

/** Done when all connections are closed. The timer is the operating system's business, not that of the clock of a test. */
const closed = (server: Server, sockets: ReadonlySet<Socket>): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const open = [...sockets]
    let left = open.length
    if (left === 0) return resume(Effect.void)
    const cut = setTimeout(() => {
      for (const socket of open) socket.destroy()
    }, closeGraceMillis)
    for (const socket of open) {
      socket.once("close", () => {
        left -= 1
        if (left > 0) return
        clearTimeout(cut)
        resume(Effect.void)
      })
    }
    server.closeIdleConnections()
  })

/**
 * Listens until the scope closes. `handlers` gets the scope that the requests end in, and answers connections from the first on.
 */
export const listen: (
  options: ListenOptions,
  handlers: (requests: Scope.Scope) => Effect.Effect<Handlers>
) => Effect.Effect<AddressInfo, ListenError, Scope.Scope> = Effect.fnUntraced(function* (options, handlers) {
  const server = make()
  const sockets = new Set<Socket>()
  const runConnection = yield* FiberSet.makeRuntime()
  yield* Effect.addFinalizer(() => closed(server, sockets))
  const runUpgrade = yield* FiberSet.makeRuntime()
  const requests = yield* Scope.fork(yield* Effect.scope, "parallel")
  yield* Effect.addFinalizer(() => Effect.sync(() => stop(server)))

  const { connection, request, upgrade } = yield* handlers(requests)
  server.on("connection", (socket: Socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    runConnection(connection(socket))
  })
  server.on("request", request)
  server.on("upgrade", (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => {})
    runUpgrade(upgrade(message, socket, head))
  })
  return yield* listening(server, options)
})
