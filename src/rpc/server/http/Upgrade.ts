/**
 * An upgrade to a WebSocket, of GET /rpc and of the feeds, under the rules that every request is under. Refusals are written to the bare
 * socket: node has given it away. What feeds are made of is loaded by the first who asks for one.
 */
import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import * as NodeWS from "@effect/platform-node/NodeWS"
import { type Context, Effect, Result, type Scope } from "effect"
import { RpcSerialization } from "effect/rpc"
import type { FeedLimits } from "../../../layers/config/FeedLimits.ts"
import type { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import type { MarketStreams } from "../../../services/MarketStreams.ts"
import { tenantHeader } from "../../contract/Border.ts"
import { RpcHost } from "../RpcHost.ts"
import type { TenantHandlers } from "../TenantHandlers.ts"
import { tenantOf } from "../tenantOf.ts"
import { feedTarget } from "./feed/FeedTarget.ts"
import { feedProblem } from "./feed/feedProblem.ts"
import * as Tally from "./feed/Tally.ts"
import type * as Guard from "./Guard.ts"
import { type Places, peerOf } from "./Places.ts"
import { toldAt } from "./problem.ts"
import { headerOf, headersOf, type Refusal, shuttingDown, toBytes, tooBusy } from "./Refusal.ts"
import * as Routes from "./Routes.ts"
import * as RpcWebSocket from "./RpcWebSocket.ts"
import { pathOf } from "./url.ts"
import * as WebSocketPipe from "./WebSocketPipe.ts"

export interface UpgradeOptions {
  readonly guard: (request: Guard.Head) => Guard.Admission
  readonly places: Places
  readonly feeds: FeedLimits
  readonly tenants: TenantHandlers
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

const loadFeeds = Effect.promise(() => import("./feed/Feeds.ts"))

/** Of a message to a feed, which nobody waits for. */
const maxFeedMessage = 4_096

const serverOf = (maxPayload: number) =>
  Effect.acquireRelease(
    Effect.sync(
      () =>
        new NodeWS.WebSocketServer({
          noServer: true,
          clientTracking: false,
          maxPayload,
          perMessageDeflate: false,
          autoPong: false
        })
    ),
    (server) => Effect.sync(() => server.close())
  )

const searchOf = (url: string): string => /\?([^#]*)/.exec(url)?.[1] ?? ""

export const make: (
  options: UpgradeOptions
) => Effect.Effect<
  (request: IncomingMessage, socket: Duplex, head: Buffer) => Effect.Effect<void>,
  never,
  Scope.Scope | RpcHost | MarketStreams | AdapterRegistry
> = Effect.fnUntraced(function* ({ feeds: limits, guard, places, tenants }) {
  const host = yield* RpcHost
  const serialization = yield* Effect.provide(RpcSerialization.RpcSerialization, RpcWebSocket.serialization)
  const server = yield* serverOf(RpcWebSocket.maxMessage)
  const feedServer = yield* serverOf(maxFeedMessage)
  const tally = yield* Tally.make
  const context = yield* Effect.context<MarketStreams | AdapterRegistry | Scope.Scope>()
  const feeds = yield* Effect.cached(
    loadFeeds.pipe(
      Effect.flatMap(({ make }) => make(limits, tally)),
      // That of the listener: what is made keeps the context that it is made in, and this would be a request's.
      Effect.updateContext((_: Context.Context<never>) => context),
      // Who asks first and leaves does not take the loading with him.
      Effect.uninterruptible
    )
  )

  const refusalOf = Effect.fnUntraced(function* (request: IncomingMessage): Effect.fn.Return<Refusal | null> {
    if (!places.has(request.socket)) return tooBusy
    const admission = guard(request)
    if (admission._tag === "Refused") return admission.refusal
    const url = request.url ?? "/"
    const template = Routes.templateOf(url)
    if (request.method !== "GET" || template === null || !Routes.isUpgraded(template)) {
      return Routes.noUpgrade(request.method ?? "", url)
    }
    return (yield* host.state).draining ? shuttingDown : null
  })

  const serveRpc = Effect.fnUntraced(function* (request: IncomingMessage, socket: Duplex, head: Buffer) {
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

  const findFeed = Effect.fnUntraced(function* (request: IncomingMessage) {
    const url = request.url ?? "/"
    const target = feedTarget(pathOf(url), searchOf(url))
    if (target === null) return yield* Effect.fail(Routes.notServed("GET", url))
    const tenant = yield* Effect.fromResult(
      tenantOf(headerOf(request.headers, tenantHeader) ?? undefined, tenants.own).pipe(Result.mapError(feedProblem))
    )
    // The streams are those of all tenants; but there has to be such a tenant.
    if (tenant !== null) yield* Effect.mapError(tenants.of(tenant), feedProblem)
    return yield* (yield* feeds).find(yield* Effect.fromResult(target))
  })

  const serveFeed = Effect.fnUntraced(function* (request: IncomingMessage, socket: Duplex, head: Buffer) {
    const found = yield* Effect.result(findFeed(request))
    if (Result.isFailure(found)) return yield* refuse(socket, toldAt(request.url ?? "/", found.failure))
    const opened = yield* handshake(feedServer, request, socket, head)
    if (opened !== null) yield* found.success.serve(opened, socket)
  })

  return (request, socket, head) =>
    Effect.scoped(
      Effect.gen(function* () {
        const refusal = yield* refusalOf(request)
        if (refusal !== null) return yield* refuse(socket, toldAt(request.url ?? "/", refusal))
        const isRpc = pathOf(request.url ?? "/") === "/rpc"
        yield* isRpc ? serveRpc(request, socket, head) : serveFeed(request, socket, head)
      })
    ).pipe(Effect.catch((error) => Effect.logDebug(`a WebSocket was closed: ${error.message}`)))
})
