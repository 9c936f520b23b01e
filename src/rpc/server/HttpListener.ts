/**
 * HTTP and WebSocket on one port: POST /rpc (JSON lines), GET /rpc (WebSocket, binary frames), JSON feeds under
 * /ws, /healthz, /readyz and /metrics.
 *
 * This is composition; what holds where is written in http/: NodeServer (connections, deadlines, going down), Places (how many),
 * Guard (from whom), App and Routes (what there is), RpcPost and RpcWebSocket (calls), feed/ (live data as JSON).
 */
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, type Scope } from "effect"
import { NetAddress } from "effect/net"
import { type FeedLimits, feedDefaults } from "../../layers/config/FeedLimits.ts"
import type { MarketStore } from "../../services/MarketStore.ts"
import type { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { AdminToken } from "../handlers/AdminToken.ts"
import * as App from "./http/App.ts"
import type { ApiServices } from "./http/ControlTenant.ts"
import * as Guard from "./http/Guard.ts"
import * as NodeServer from "./http/NodeServer.ts"
import * as Places from "./http/Places.ts"
import * as Upgrade from "./http/Upgrade.ts"
import { ListenError } from "./ListenError.ts"
import { RpcHost } from "./RpcHost.ts"
import * as TenantHandlers from "./TenantHandlers.ts"

export interface HttpListenerOptions extends NodeServer.ListenOptions {
  /** Names besides the loopback ones and `host` that a request's `Host` may have, with or without a port. */
  readonly allowedHosts: ReadonlyArray<string>
  /** Origins besides the server's own whose pages may call, such as `https://app.example`. */
  readonly allowedOrigins: ReadonlyArray<string>
  /** Lets who has it change the deployment; unless given, nobody may. */
  readonly adminToken?: AdminToken | null
  /** What holds for each client of a JSON feed; see FeedLimits. */
  readonly feeds?: FeedLimits
  /** The tenants that a request may name; none unless given. */
  readonly tenants?: TenantHandlers.TenantHandlers
}

type Services = RpcHost | MarketStore | ProvenanceStore | ApiServices

/** Serves until the scope closes; the host should have drained by then, since what still runs is cut. */
export const listen: (
  options: HttpListenerOptions
) => Effect.Effect<{ readonly address: NetAddress.SocketAddress }, ListenError, Scope.Scope | Services> = Effect.fn(
  "HttpListener.listen"
)(function* (options) {
  const host = yield* RpcHost
  const places = Places.make(host)
  const guard = Guard.make(options)
  const tenants = options.tenants ?? TenantHandlers.none
  const app = yield* App.make({
    guard,
    places,
    crossOrigin: options.allowedOrigins.length > 0,
    adminToken: options.adminToken ?? null,
    tenants
  })
  const upgrade = yield* Upgrade.make({ guard, places, tenants, feeds: options.feeds ?? feedDefaults })
  const platform = yield* Layer.build(NodeHttpPlatform.layer)
  const bound = yield* NodeServer.listen(options, (requests) =>
    NodeHttpServer.makeHandler(app, { scope: requests }).pipe(
      Effect.provideContext(platform),
      Effect.map((request) => ({ connection: places.hold, request, upgrade }))
    )
  )
  const address = yield* Effect.fromResult(NetAddress.inetAddressFromIpString(bound.address, bound.port)).pipe(
    Effect.mapError(({ message }) => new ListenError({ address: bound.address, reason: "Failed", detail: message }))
  )
  return { address }
})
