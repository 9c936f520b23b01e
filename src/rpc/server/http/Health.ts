import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { MarketStore } from "../../../services/MarketStore.ts"
import { MarketStreams } from "../../../services/MarketStreams.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { health, streamsStanding } from "../../handlers/storeHealth.ts"
import { RpcHost } from "../RpcHost.ts"

const json = (body: unknown, status: number) =>
  HttpServerResponse.text(`${JSON.stringify(body)}\n`, {
    status,
    contentType: "application/json",
    headers: { "cache-control": "no-store" }
  })

/** GET /healthz: 200 for as long as the process answers at all. */
export const alive = json({ alive: true }, 200)

/**
 * GET /readyz: 200, or 503 while a store does not answer, a live stream that is wanted does not run, or the server is draining; the body says which.
 * `status`, `subscriptions_rehydrated` and `active_streams` are as in the system that this replaces.
 */
export const ready: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  RpcHost | MarketStore | ProvenanceStore | MarketStreams
> = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const host = yield* RpcHost
  const streams = yield* streamsStanding(yield* MarketStreams)
  const found = yield* health(
    { archive, market },
    streams,
    Effect.map(host.state, ({ draining }) => draining)
  )
  const standing = {
    status: found.ready ? "ready" : "not ready",
    subscriptions_rehydrated: streams.broken.length === 0,
    active_streams: streams.active
  }
  return json({ ...found, ...standing }, found.ready ? 200 : 503)
})
