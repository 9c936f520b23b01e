import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { MarketStore } from "../../../services/MarketStore.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import { health } from "../../handlers/storeHealth.ts"
import { RpcHost } from "../RpcHost.ts"

const json = (body: unknown, status: number) =>
  HttpServerResponse.text(`${JSON.stringify(body)}\n`, {
    status,
    contentType: "application/json",
    headers: { "cache-control": "no-store" }
  })

/** GET /healthz: 200 for as long as the process answers at all. */
export const alive = json({ alive: true }, 200)

/** GET /readyz: 200, or 503 while a store does not answer or the server is draining; the body says which. */
export const ready: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  RpcHost | MarketStore | ProvenanceStore
> = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const host = yield* RpcHost
  const found = yield* health(
    { archive, market },
    Effect.map(host.state, ({ draining }) => draining)
  )
  return json(found, found.ready ? 200 : 503)
})
