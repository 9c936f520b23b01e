/**
 * A Tapestry that is served: the host and its handlers over the services at hand, and the listeners that are asked for.
 *
 * Responsibilities: the order of coming up (host, listeners, then the socket is announced to those who look for the owner) and
 * of going down. Going down, the socket is taken back and the host drains first, while the listeners still answer: whoever
 * comes meanwhile is told ShuttingDown, and a balancer that asks /readyz gets its 503 instead of a refused connection. Then the
 * listeners close, and with them whatever is left. Draining takes at most 10 seconds.
 *
 * Queueing: none of its own; the host bounds connections and calls.
 *
 * Hard cases: a listener that cannot listen takes down those before it, and nothing was announced. HTTP is loaded only when it
 * is asked for, since it is most of what a server weighs.
 */
import { Clock, Effect, Exit, Layer, Option, Scope } from "effect"
import type { NetAddress } from "effect/net"
import type { FeedLimits } from "../../layers/config/FeedLimits.ts"
import type { TapestryServices } from "../../layers/Tapestry.ts"
import { Owner, type OwnerError } from "../../services/Owner.ts"
import * as AdminOnlyLive from "../handlers/AdminOnlyLive.ts"
import type { AdminToken } from "../handlers/AdminToken.ts"
import { ServerAdminToken } from "../handlers/asAdmin.ts"
import * as BorderLive from "../handlers/BorderLive.ts"
import * as Handlers from "../handlers/Handlers.ts"
import { PayloadPieces, make as payloadPieces } from "../handlers/payloadPieces.ts"
import { ServerInfo } from "../handlers/ServerInfo.ts"
import type { ListenError } from "./ListenError.ts"
import { RpcHost } from "./RpcHost.ts"
import * as RpcHostLive from "./RpcHostLive.ts"
import * as SocketListener from "./SocketListener.ts"
import * as StoreUp from "./StoreUp.ts"
import * as TenantHandlers from "./TenantHandlers.ts"

/** A host and a port; port 0 takes one that is free. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

export interface ServedOptions {
  /** The release that `System.hello` names. */
  readonly product: string
  /** HTTP and WebSocket; null: not at all. */
  readonly http:
    | (HostPort & {
        /** Names beside those of loopback that a request's Host may have. */
        readonly allowedHosts: ReadonlyArray<string>
        /** Origins beside the same one whose pages may ask. */
        readonly allowedOrigins: ReadonlyArray<string>
        /** What holds for each client of a JSON feed; see FeedLimits. */
        readonly feeds?: FeedLimits
      })
    | null
  /** JSON lines over TCP; null: not at all. */
  readonly tcp: HostPort | null
  /** JSON lines over a Unix socket at this path, for this user alone; null: not at all. */
  readonly socket: string | null
  /** Lets who has it change the deployment over the network; unless given, nobody may but over the Unix socket. */
  readonly adminToken?: AdminToken
  /** When this is done, going down waits for nobody any more: what is under way is cut off. Unless given, it waits up to 10 s. */
  readonly hurry?: Effect.Effect<void>
}

/** Where the listeners listen, with the ports that they got. */
export interface Addresses {
  readonly http: HostPort | null
  readonly tcp: HostPort | null
  readonly socket: string | null
}

const loadHttp = Effect.promise(() => import("./HttpListener.ts"))

const portOf = ({ address }: { readonly address: NetAddress.SocketAddress }): number =>
  address._tag === "UnixPathAddress" ? 0 : address.port

/** Makes the socket of an owner known for as long as the scope lives. Services without an owner are nobody's to find. */
const announce = Effect.fnUntraced(function* (owner: Option.Option<Owner["Service"]>, socket: string | null) {
  if (Option.isNone(owner) || socket === null) return
  const { announce } = owner.value
  yield* Effect.acquireRelease(announce(socket), () =>
    Effect.catch(announce(null), (error) =>
      Effect.logWarning(`the socket ${socket} stays announced until this process ends: ${error.message}`)
    )
  )
})

const comeUp = Effect.fnUntraced(function* (options: ServedOptions) {
  const owner = yield* Effect.serviceOption(Owner)
  const startedAt = Option.isSome(owner) ? owner.value.startedAt : yield* Clock.currentTimeMillis
  const info = { product: options.product, startedAt }
  const adminToken = options.adminToken ?? null
  const pieces = yield* payloadPieces
  const tenants = yield* TenantHandlers.make.pipe(
    Effect.provideService(ServerInfo, info),
    Effect.provideService(ServerAdminToken, adminToken),
    Effect.provideService(PayloadPieces, pieces)
  )
  const context = yield* Layer.build(
    RpcHostLive.layer(tenants).pipe(
      Layer.provide([Handlers.layer, BorderLive.layer, AdminOnlyLive.layer(adminToken, tenants.own)]),
      Layer.provideMerge(Layer.succeed(ServerInfo, info)),
      Layer.provide(Layer.succeed(ServerAdminToken, adminToken)),
      Layer.provide(Layer.succeed(PayloadPieces, pieces))
    )
  )
  return yield* Effect.gen(function* () {
    const host = yield* RpcHost
    const { http, socket, tcp } = options
    if (socket !== null) yield* SocketListener.listen({ path: socket })
    const tcpPort = tcp === null ? 0 : portOf(yield* SocketListener.listen(tcp))
    const httpPort = http === null ? 0 : portOf(yield* (yield* loadHttp).listen({ ...http, adminToken, tenants }))
    yield* StoreUp.watch
    yield* Effect.addFinalizer(() => Effect.raceFirst(host.drain, options.hurry ?? Effect.never))
    yield* announce(owner, socket)
    const addresses: Addresses = {
      http: http === null ? null : { host: http.host, port: httpPort },
      tcp: tcp === null ? null : { host: tcp.host, port: tcpPort },
      socket
    }
    return addresses
  }).pipe(Effect.provideContext(context))
})

/** Serves until the scope closes. Fails where a listener cannot listen: `message` says why and what to do. */
export const serve: (
  options: ServedOptions
) => Effect.Effect<Addresses, ListenError | OwnerError, Scope.Scope | TapestryServices> = Effect.fn("Served.serve")(
  function* (options) {
    const scope = yield* Scope.fork(yield* Effect.scope)
    return yield* comeUp(options).pipe(
      Scope.provide(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
  }
)
