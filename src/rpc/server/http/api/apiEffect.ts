/** The API as one effect that answers a request; loaded when the first comes. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer, Redacted } from "effect"
import { Etag, HttpEffect, HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware, OpenApi } from "effect/http-api"
import { ControlPlane } from "../../../../services/ControlPlane.ts"
import { type Enqueued, JobQueue, type JobQueueError } from "../../../../services/JobQueue.ts"
import type { AdminToken } from "../../../handlers/AdminToken.ts"
import { notOfTenant, refusalOf } from "../../../handlers/adminAdmission.ts"
import { Caller } from "../../../handlers/Caller.ts"
import { startTask } from "../../../handlers/startTask.ts"
import { ControlTenant } from "../ControlTenant.ts"
import { AdminGuard, ControlApi } from "./ControlApi.ts"
import { docsPage } from "./docsPage.ts"
import { AccountHandlers, MarketHandlers } from "./MarketHandlers.ts"
import { ofTenant } from "./ofTenant.ts"
import { ofAdmin, ofJobs, ofStore } from "./Problems.ts"
import { startBackfill } from "./startBackfill.ts"

/** What works for the tenant that a request names, or for that of the server. */
const services = Effect.map(ofTenant, (of) => ({ control: of(ControlPlane), queue: of(JobQueue) }))

const StoreHandlers = HttpApiBuilder.group(
  ControlApi,
  "store",
  Effect.fnUntraced(function* (handlers) {
    const { control, queue } = yield* services
    return handlers.handleAll({
      schemaVersion: () =>
        Effect.mapBoth(
          Effect.flatMap(control, ({ schema }) => schema),
          {
            onSuccess: ({ expected, state, version }) => ({ version, expected, state }),
            onFailure: ofStore
          }
        ),
      job: ({ params }) =>
        Effect.mapError(
          Effect.flatMap(queue, ({ get }) => get(params.id)),
          ofJobs
        )
    })
  })
)

const accepted = Effect.fnUntraced(function* (enqueuing: Effect.Effect<Enqueued, JobQueueError>) {
  const { created, job } = yield* Effect.mapError(enqueuing, ofJobs)
  yield* HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, "location", `/jobs/${job.id}`))
  )
  return { job: job.id, state: job.state, created }
})

const AdminHandlers = HttpApiBuilder.group(
  ControlApi,
  "admin",
  Effect.fnUntraced(function* (handlers) {
    const { queue } = yield* services
    const begun = (start: (queue: JobQueue["Service"]) => Effect.Effect<Enqueued, JobQueueError>) =>
      accepted(Effect.flatMap(queue, start))
    return handlers.handleAll({
      migrate: () => begun((queue) => startTask(queue, { type: "migrate" })),
      retention: ({ payload }) => begun((queue) => startTask(queue, { type: "retention", payload: payload ?? {} })),
      refresh: ({ payload }) => begun((queue) => startTask(queue, { type: "refresh", payload: payload ?? {} })),
      backfill: ({ params, payload }) => begun((queue) => startBackfill(queue, params.job, payload))
    })
  })
)

/** A backfill is its tenant's; all else that is begun here changes the deployment. */
const ofTenants: ReadonlySet<string> = new Set(["/backfill/:job"])

const guard = (token: AdminToken | null) => {
  const admitted = Effect.fnUntraced(function* (credential: Redacted.Redacted, path: string) {
    const caller = yield* Caller
    const presented = Redacted.value(credential)
    const refusal = refusalOf(token, caller, presented === "" ? undefined : presented)
    if (refusal !== null) return yield* ofAdmin(refusal)
    const named = yield* ControlTenant
    const foreign = named === null || ofTenants.has(path) ? null : notOfTenant(named.tenant, null, `POST ${path}`)
    if (foreign !== null) return yield* ofAdmin(foreign)
    const from = { transport: "http", peer: caller?.peer ?? "?", procedure: `POST ${path}` }
    yield* Effect.annotateLogs(Effect.logInfo("tapestry.admin"), from)
  })
  return Layer.succeed(AdminGuard, {
    adminToken: (request, { credential, endpoint }) => Effect.andThen(admitted(credential, endpoint.path), request)
  })
}

/** Nothing of the page comes from elsewhere, and nobody else's page frames it. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'"

const docs = Effect.cached(
  Effect.sync(() =>
    HttpServerResponse.text(docsPage(OpenApi.fromApi(ControlApi)), {
      contentType: "text/html; charset=utf-8",
      headers: { "content-security-policy": policy, "cache-control": "no-cache", "x-content-type-options": "nosniff" }
    })
  )
)
const DocsRoute = Layer.unwrap(Effect.map(docs, (page) => HttpRouter.add("GET", "/docs", page)))

export const make = (token: AdminToken | null) =>
  HttpRouter.toHttpEffect(
    Layer.merge(HttpApiBuilder.layer(ControlApi, { openapiPath: "/openapi.json" }), DocsRoute).pipe(
      Layer.provide([StoreHandlers, AdminHandlers, MarketHandlers, AccountHandlers]),
      Layer.provide([guard(token), HttpApiMiddleware.layerProblemDetails({ includeDetails: true })]),
      Layer.provide([NodeHttpPlatform.layer, Etag.layer, NodeFileSystem.layer, NodePath.layer])
    )
  )
