/**
 * Everything that is served by HTTP, on one router: who may ask (Guard, Places), what there is (Routes), and how answers are
 * dressed (gzip, CORS, `connection: close` while the server drains).
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Clock, Context, Effect, type Scope } from "effect"
import {
  HttpMiddleware,
  type HttpPlatform,
  HttpRouter,
  HttpServerError,
  HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { MarketStore } from "../../../services/MarketStore.ts"
import { MarketStreams } from "../../../services/MarketStreams.ts"
import * as Metrics from "../../../services/Metrics.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import type { AdminToken } from "../../handlers/AdminToken.ts"
import { incident } from "../../handlers/incident.ts"
import { RpcHost } from "../RpcHost.ts"
import type { TenantHandlers } from "../TenantHandlers.ts"
import * as ControlRoutes from "./ControlRoutes.ts"
import type { ApiServices } from "./ControlTenant.ts"
import * as CrossOrigin from "./CrossOrigin.ts"
import type * as Guard from "./Guard.ts"
import * as Health from "./Health.ts"
import * as MetricsPage from "./MetricsPage.ts"
import type { Places } from "./Places.ts"
import { toldAt } from "./problem.ts"
import { type Refusal, tooBusy, toResponse } from "./Refusal.ts"
import * as Routes from "./Routes.ts"
import * as RpcPost from "./RpcPost.ts"
import { pathOf } from "./url.ts"

export interface AppOptions {
  readonly guard: (request: Guard.Head) => Guard.Admission
  readonly places: Places
  /** Whether pages of other origins may read answers at all. */
  readonly crossOrigin: boolean
  /** Of who may change the deployment; null: nobody. */
  readonly adminToken: AdminToken | null
  readonly tenants: TenantHandlers
}

type Services = RpcHost | MarketStore | ProvenanceStore | ApiServices

type App<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

/** gzip alone: what every client has. Streams are flushed after each piece, so a chunk of rows is not kept for the next. */
const compressed = HttpMiddleware.compression({
  algorithms: ["gzip"],
  levels: { gzip: 4 },
  compressible: (type) => /^(application\/(x-ndjson|json|problem\+json)|text\/)/.test(type)
})

const isNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

const refusedAt = (url: string, refusal: Refusal) => toResponse(toldAt(url, refusal))

/** A mistake of ours: what happened is in the log under its number, and only there. */
const failed = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>, url: string) {
  if (Cause.hasInterruptsOnly(cause)) return yield* Effect.failCause(cause)
  const { _tag, incident: number, message } = yield* incident(cause, { path: pathOf(url) })
  return refusedAt(url, { status: 500, line: { _tag, incident: number, message } })
})

const routed = Effect.fnUntraced(function* (options: AppOptions) {
  // Nothing else of what is at hand: the scope of a request is its own, not that of the listener.
  const services = Context.pick(
    RpcHost,
    MarketStore,
    ProvenanceStore,
    MarketStreams,
    AdapterRegistry
  )(yield* Effect.context<Services>())
  const router = yield* HttpRouter.make
  // Who opens the address in a browser looks for what is there.
  yield* router.add("GET", "/", Effect.succeed(HttpServerResponse.redirect("/docs")))
  yield* router.add("POST", "/rpc", Effect.provideContext(RpcPost.make(options.places), services))
  yield* router.add("GET", "/rpc", Effect.succeed(toResponse(Routes.upgradeRequired)))
  yield* router.add("GET", "/healthz", Effect.provideContext(Health.alive, services))
  yield* router.add("GET", "/readyz", Effect.provideContext(Health.ready, services))
  yield* router.add("GET", "/metrics", MetricsPage.page)
  for (const template of Routes.feeds) {
    yield* router.add("GET", Routes.routeOf(template), Effect.succeed(toResponse(Routes.feedUpgradeRequired)))
  }
  const control = yield* ControlRoutes.make(options.adminToken, options.tenants)
  for (const [method, template] of Routes.control) yield* router.add(method, Routes.routeOf(template), control)
  return router.asHttpEffect()
})

const methodLabels: ReadonlySet<string> = new Set<Metrics.HttpMethodLabel>(["GET", "HEAD", "POST", "OPTIONS"])
const isLabel = (method: string): method is Metrics.HttpMethodLabel => methodLabels.has(method)

/** Counts a request, and how long it took until its answer begins. */
const tallied = <E, R>(app: App<E, R>, request: HttpServerRequest.HttpServerRequest): App<E, R> =>
  Effect.contextWith((context) => {
    const clock = Context.get(context, Clock.Clock)
    const began = clock.monotonicTimeNanosUnsafe()
    return Effect.map(app, (response) => {
      const method = isLabel(request.method) ? request.method : "other"
      const endpoint = Routes.templateOf(request.url) ?? "other"
      const seconds = Number(clock.monotonicTimeNanosUnsafe() - began) / 1e9
      Metrics.httpRequests(method, endpoint, String(response.status)).updateUnsafe(1, context)
      Metrics.httpRequestSeconds(method, endpoint).updateUnsafe(seconds, context)
      if (Routes.isMarket(endpoint)) {
        Metrics.marketRequests(method, endpoint, String(response.status)).updateUnsafe(1, context)
        Metrics.marketRequestSeconds.updateUnsafe(seconds, context)
      }
      return response
    })
  })

/** Answers one request, whatever it is. */
export const make = Effect.fnUntraced(function* (
  options: AppOptions
): Effect.fn.Return<
  App<unknown, HttpServerRequest.HttpServerRequest | HttpPlatform.HttpPlatform | Scope.Scope>,
  never,
  Services | Scope.Scope
> {
  const host = yield* RpcHost
  const router = yield* routed(options)

  const answer = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest, origin: string | null) {
    const allow = Routes.allowOf(request.url)
    if (request.method === "OPTIONS" && allow !== null) {
      return CrossOrigin.options({ allow, origin, requestedHeaders: request.headers["access-control-request-headers"] })
    }
    return yield* router.pipe(
      Effect.catchIf(isNotFound, () =>
        Effect.succeed(refusedAt(request.url, Routes.notServed(request.method, request.url)))
      ),
      Effect.catchCause((cause) => failed(cause, request.url))
    )
  })

  const served = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const head = NodeHttpServerRequest.toIncomingMessage(request)
    // A probe is answered also when there is no place: a server that is busy is not one to be restarted.
    if (!options.places.has(head.socket) && !Routes.isProbe(request.url)) return refusedAt(request.url, tooBusy)
    const admission = options.guard(head)
    if (admission._tag === "Refused") return refusedAt(request.url, admission.refusal)
    const { origin } = admission
    const response = yield* answer(request, origin)
    const readable = origin === null ? response : CrossOrigin.readable(response, origin)
    const dressed = options.crossOrigin ? CrossOrigin.varies(readable, "Origin") : readable
    const { draining } = yield* host.state
    return draining ? HttpServerResponse.setHeader(dressed, "connection", "close") : dressed
  })
  return compressed(Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => tallied(served(request), request)))
})
