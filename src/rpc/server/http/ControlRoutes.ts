/**
 * The control plane's way into the router.
 *
 * Responsibilities: what it is made of (effect/http-api and its schemas) is loaded by the first request and kept until the listener
 * closes, since most servers are never asked; whatever is refused says why as problem details, also what effect refuses by itself.
 * Queueing: none. Hard cases: who asks first and leaves must not take the loading with him, and what was asked first must not stay in what is
 * made while it is answered.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { ByteSize, Cause, Clock, Context, Effect, Result, Scope } from "effect"
import { Headers, HttpIncomingMessage, HttpServerRequest, HttpServerResponse, ProblemDetails } from "effect/http"
import type { TenantName } from "../../../domain/Tenant.ts"
import type { TenantError } from "../../../services/TenantError.ts"
import { tenantHeader } from "../../contract/Border.ts"
import type { AdminToken } from "../../handlers/AdminToken.ts"
import { presentedBy } from "../../handlers/adminAdmission.ts"
import { Caller } from "../../handlers/Caller.ts"
import { correlationId } from "../../handlers/correlation.ts"
import { errorPath } from "../../handlers/errorPath.ts"
import { incident } from "../../handlers/incident.ts"
import { RpcHost } from "../RpcHost.ts"
import type { TenantHandlers } from "../TenantHandlers.ts"
import { tenantOf } from "../tenantOf.ts"
import { type ApiServices, ControlTenant } from "./ControlTenant.ts"
import { peerOf } from "./Places.ts"
import * as RateRule from "./RateRule.ts"
import { reasonOf, toResponse } from "./Refusal.ts"
import { templateOf } from "./Routes.ts"
import { pathOf } from "./url.ts"

/** Of a body: what is asked for here is a few names and dates. */
const maxBody = 64 * 1024

const problem = (status: number, extension: Readonly<Record<string, string>> = {}) =>
  ProblemDetails.toResponse({ type: ProblemDetails.blankType, status, title: reasonOf(status), ...extension })

const isProblem = ({ body }: HttpServerResponse.HttpServerResponse): boolean =>
  "contentType" in body && body.contentType === ProblemDetails.contentType

/** Answers that effect makes by itself have a status and no words. */
const inWords = (response: HttpServerResponse.HttpServerResponse) =>
  response.status < 400 || isProblem(response) ? response : problem(response.status)

/** `curl -d` says on its own that a body is a form, and a form has nothing to say here. */
const asJson = (request: HttpServerRequest.HttpServerRequest) =>
  request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded")
    ? request.modify({ headers: Headers.set(request.headers, "content-type", "application/json") })
    : request

/** As RFC 6750 has it: what to present, and whether what was presented is wrong. */
const challenged = (response: HttpServerResponse.HttpServerResponse, authorization: string | undefined) =>
  response.status === 401
    ? HttpServerResponse.setHeader(
        response,
        "www-authenticate",
        `Bearer realm="tapestry"${presentedBy(authorization) === undefined ? "" : ', error="invalid_token"'}`
      )
    : response

/** What a form leaves empty is not said. */
const withoutEmpty = (request: HttpServerRequest.HttpServerRequest) => {
  const [path = "", search] = request.url.split("?", 2)
  if (search === undefined || !/(^|&)([^&=]*=)?(&|$)/.test(search)) return request
  const said = search.split("&").filter((part) => !/^([^=]*=)?$/.test(part))
  return request.modify({ url: said.length === 0 ? path : `${path}?${said.join("&")}` })
}

const load = Effect.promise(() => import("./api/apiEffect.ts"))

const refused = (error: TenantError) => {
  const { _tag } = error.reason
  const status = _tag === "TenantMalformed" ? 400 : _tag === "NoSuchTenant" ? 404 : 503
  return problem(status, { detail: error.message, error: errorPath(error) })
}

/** For the tenant that the request names, for as long as it takes. */
const forTenant = <A, E, R>(
  tenants: TenantHandlers,
  tenant: TenantName | null,
  answer: Effect.Effect<A, E, R>
): Effect.Effect<A, E | TenantError, R> =>
  tenant === null
    ? answer
    : Effect.scoped(
        Effect.flatMap(tenants.of(tenant), ({ services }) =>
          Effect.provideService(answer, ControlTenant, { tenant, services })
        )
      )

export const make = Effect.fnUntraced(function* (token: AdminToken | null, tenants: TenantHandlers) {
  const host = yield* RpcHost
  const clock = yield* Clock.Clock
  const rate = RateRule.make()
  const scope = yield* Effect.scope
  const services = (yield* Effect.context<ApiServices>()).pipe(Context.add(Scope.Scope, scope))
  const api = yield* Effect.cached(
    load.pipe(
      Effect.flatMap(({ make }) => make(token)),
      // That of the listener: what is made keeps the context that it is made in, and this would be a request's.
      Effect.updateContext((_: Context.Context<never>) => services),
      Effect.uninterruptible
    )
  )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const { draining } = yield* host.state
    if (draining) {
      const detail = "the server is shutting down; try again"
      return HttpServerResponse.setHeader(problem(503, { detail, error: "ShuttingDown" }), "retry-after", "1")
    }
    const tooOften = rate(templateOf(request.url) ?? "", Number(clock.monotonicTimeNanosUnsafe()) / 1e6)
    if (tooOften !== null) return toResponse(tooOften)
    if (Number(request.headers["content-length"] ?? 0) > maxBody) {
      return problem(413, { detail: `a body has at most ${maxBody} bytes` })
    }
    const named = tenantOf(request.headers[tenantHeader], tenants.own)
    if (Result.isFailure(named)) return refused(named.failure)
    const tenant = named.success
    const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
    const call = yield* correlationId(request.headers["x-correlation-id"])
    return yield* forTenant(tenants, tenant, Effect.flatten(api)).pipe(
      Effect.provideService(HttpServerRequest.HttpServerRequest, asJson(withoutEmpty(request))),
      Effect.provideService(Caller, { transport: "http", peer: peerOf(socket) }),
      Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(maxBody)),
      Effect.map((response) => challenged(inWords(response), request.headers.authorization)),
      Effect.catchTag("TenantError", (error) => Effect.succeed(refused(error))),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.interrupt
          : Effect.map(incident(cause, { path: pathOf(request.url) }), ({ _tag, incident: number, message }) =>
              problem(500, { detail: message, error: _tag, incident: number })
            )
      ),
      Effect.annotateLogs({ call, ...(tenant === null ? {} : { tenant }) })
    )
  })
})
