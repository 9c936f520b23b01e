import { rmSync } from "node:fs"
import { createServer, type Server } from "node:net"
import { Effect, FiberSet, Result, type Scope } from "effect"
import { NetAddress } from "effect/net"
import { ListenError } from "./ListenError.ts"
import type { RpcHost } from "./RpcHost.ts"
import * as SocketConnection from "./SocketConnection.ts"
import * as unixSocket from "./unixSocket.ts"

/** Port 0 takes one that is free. The Unix socket is for this user alone (mode 0600). */
export type SocketListenOptions = { readonly host: string; readonly port: number } | { readonly path: string }

/** Milliseconds without a byte after which the kernel asks whether the other side is still there. */
const keepAliveInitialDelay = 60_000

const open = (server: Server, options: SocketListenOptions): Effect.Effect<NetAddress.SocketAddress, ListenError> =>
  Effect.callback((resume) => {
    const name = "path" in options ? options.path : `${options.host}:${options.port}`
    const failed = (error: unknown) => resume(Effect.fail(ListenError.of(name, error)))
    server.once("error", failed)
    server.once("listening", () => {
      server.off("error", failed)
      const address = server.address()
      if (address === null || typeof address === "string") {
        resume(Effect.succeed(NetAddress.unixPathAddress(name)))
        return
      }
      resume(
        Effect.mapError(
          Effect.fromResult(NetAddress.inetAddressFromIpString(address.address, address.port)),
          ({ message }) => new ListenError({ address: name, reason: "Failed", detail: message })
        )
      )
    })
    if (!("path" in options)) {
      server.listen(options)
      return
    }
    const bound = unixSocket.bind(server, options.path)
    if (Result.isFailure(bound)) failed(bound.failure)
  })

/**
 * Queueing: the kernel's, of connections that are not accepted yet; each that is runs in a fiber of its own, and the host bounds
 * them. Hard case: connections that come while the scope closes are reset with it, so the host drains first.
 *
 * Serves the procedures as JSON lines (docs/protocol.md) over TCP or a Unix socket until the scope closes. What is under way then
 * is cut off: drain the host first. A socket file that a dead process left is replaced; ours is removed when the scope closes.
 */
export const listen: (
  options: SocketListenOptions
) => Effect.Effect<{ readonly address: NetAddress.SocketAddress }, ListenError, Scope.Scope | RpcHost> = Effect.fn(
  "SocketListener.listen"
)(function* (options) {
  const kind = "path" in options ? "unix" : "tcp"
  if ("path" in options) yield* unixSocket.clear(options.path)
  const run = yield* FiberSet.makeRuntime<RpcHost>()
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer({ keepAlive: true, keepAliveInitialDelay, noDelay: true }, (socket) => {
        // A reset is told by "close", too; without a listener here it would end the process.
        socket.on("error", () => {})
        run(SocketConnection.serve(socket, kind))
      })
    ),
    (server) =>
      Effect.sync(() => {
        const isOurs = server.listening
        server.close()
        if (isOurs && "path" in options) rmSync(options.path, { force: true })
      })
  )
  const address = yield* open(server, options)
  const runFork = yield* FiberSet.makeRuntime<never>()
  server.on("error", (error) => {
    runFork(Effect.annotateLogs(Effect.logWarning("tapestry.accept"), { error: error.message }))
  })
  return { address }
})
