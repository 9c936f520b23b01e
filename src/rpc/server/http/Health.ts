import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { MarketStore } from "../../../services/MarketStore.ts"
import { MarketStreams } from "../../../services/MarketStreams.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { componentsOf, health, liveStanding } from "../../handlers/storeHealth.ts"
import { RpcHost } from "../RpcHost.ts"

const json = (body: unknown, status: number) =>
  HttpServerResponse.text(`${JSON.stringify(body)}\n`, {
    status,
    contentType: "application/json",
    headers: { "cache-control": "no-store" }
  })

/**
 * GET /healthz: 200 for as long as the process answers at all, with what it knows by itself of its parts. It asks nothing of anybody: who restarts what does
 * not answer must not be made to wait for a store, which /readyz asks.
 */
export const alive: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  RpcHost | MarketStreams | AdapterRegistry
> = Effect.gen(function* () {
  const { draining } = yield* (yield* RpcHost).state
  const components = componentsOf(yield* liveStanding(yield* MarketStreams, yield* AdapterRegistry), draining)
  const state = components.every((component) => component.state === "healthy") ? "healthy" : "degraded"
  return json({ alive: true, state, components }, 200)
})

/**
 * GET /readyz: 200, or 503 while a store does not answer, a session that is needed is not connected, a live stream that is wanted is broken, or the server
 * is draining; the body says which, and how many streams run, wait for room at their vendor, and are broken.
 * `status`, `subscriptions_rehydrated` and `active_streams` are as in the system that this replaces.
 */
export const ready: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  RpcHost | MarketStore | ProvenanceStore | MarketStreams | AdapterRegistry
> = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const host = yield* RpcHost
  const live = yield* liveStanding(yield* MarketStreams, yield* AdapterRegistry)
  const { active, broken, waiting } = live
  const found = yield* health(
    { archive, market },
    live,
    Effect.map(host.state, ({ draining }) => draining)
  )
  const standing = {
    status: found.ready ? "ready" : "not ready",
    subscriptions_rehydrated: broken.length === 0,
    active_streams: active,
    streams: { live: active - waiting - broken.length, waiting, broken: broken.length }
  }
  return json({ ...found, ...standing }, found.ready ? 200 : 503)
})
