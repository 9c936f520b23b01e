/**
 * An upgrade of GET /rpc to a WebSocket, under the rules that every request is under. Refusals are written to the bare socket:
 * node has given it away.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, type Scope } from "effect"
import { RpcSerialization } from "effect/rpc"
import { RpcHost } from "../RpcHost.ts"
import type * as Guard from "./Guard.ts"
import { type Places, peerOf } from "./Places.ts"
import { headersOf, type Refusal, shuttingDown, toBytes, tooBusy } from "./Refusal.ts"
import * as Routes from "./Routes.ts"
import * as RpcWebSocket from "./RpcWebSocket.ts"
import * as WebSocketPipe from "./WebSocketPipe.ts"

export interface UpgradeOptions {
  readonly guard: (request: Guard.Head) => Guard.Admission
  readonly places: Places
}

/** The handshake; null when `ws` refused it (it has answered 400 itself) or the client left. */
const handshake = (
  server: NodeWS.WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer
): Effect.Effect<NodeWS.WebSocket | null> =>
  Effect.callback((resume) => {
    const gone = () => resume(Effect.succeed(null))
    if (socket.destroyed) return gone()
    socket.once("close", gone)
    server.handleUpgrade(request, socket, head, (opened) => {
      socket.off("close", gone)
      resume(Effect.succeed(opened))
    })
  })

const refuse = (socket: Duplex, refusal: Refusal) =>
  Effect.sync(() => {
    socket.end(toBytes(refusal))
    // What the client still sends is thrown away, or its own writing would cut off the answer.
    socket.resume()
  })

export const make: (
  options: UpgradeOptions
) => Effect.Effect<
  (request: IncomingMessage, socket: Duplex, head: Buffer) => Effect.Effect<void>,
  never,
  Scope.Scope | RpcHost
> = Effect.fnUntraced(function* ({ guard, places }) {
  const host = yield* RpcHost
  const serialization = yield* Effect.provide(RpcSerialization.RpcSerialization, RpcWebSocket.serialization)
  const server = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new NodeWS.WebSocketServer({
          noServer: true,
          clientTracking: false,
          maxPayload: RpcWebSocket.maxMessage,
          perMessageDeflate: false,
          autoPong: false
        })
    ),
    (server) => Effect.sync(() => server.close())
  )

  const refusalOf = Effect.fnUntraced(function* (request: IncomingMessage): Effect.fn.Return<Refusal | null> {
    if (!places.has(request.socket)) return tooBusy
    const admission = guard(request)
    if (admission._tag === "Refused") return admission.refusal
    const url = request.url ?? "/"
    if (request.method !== "GET" || Routes.pathOf(url) !== "/rpc") return Routes.noUpgrade(request.method ?? "", url)
    return (yield* host.state).draining ? shuttingDown : null
  })

  return (request, socket, head) =>
    Effect.scoped(
      Effect.gen(function* () {
        const refusal = yield* refusalOf(request)
        if (refusal !== null) return yield* refuse(socket, refusal)
        const opened = yield* handshake(server, request, socket, head)
        if (opened === null) return
        const pipe = yield* WebSocketPipe.make(opened)
        yield* RpcWebSocket.serve(pipe, {
          host,
          serialization,
          peer: peerOf(request.socket),
          headers: headersOf(request.headers)
        })
      })
    ).pipe(Effect.catch((error) => Effect.logDebug(`a WebSocket was closed: ${error.message}`)))
})
