import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { MarketStore } from "../../../services/MarketStore.ts"
import { ProvenanceStore } from "../../../services/ProvenanceStore.ts"
import type { Health } from "../../contract/SystemRpcs.ts"
import { RpcHost } from "../RpcHost.ts"

type Check = Health["checks"][number]

/** A store that takes longer is no store to send calls to. */
const patience = "2 seconds"

const answers = (name: string, probe: Effect.Effect<unknown, { readonly message: string }>): Effect.Effect<Check> =>
  probe.pipe(
    Effect.as({ name, ok: true, detail: "answers" }),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.succeed({ name, ok: false, detail: `did not answer within ${patience}` })
    }),
    Effect.catch(({ message }) => Effect.succeed({ name, ok: false, detail: message }))
  )

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
  const draining = Effect.map(
    host.state,
    (state): Check => ({
      name: "server",
      ok: !state.draining,
      detail: state.draining ? "is shutting down" : "takes calls"
    })
  )
  const checks = yield* Effect.all(
    [answers("archive", archive.sessions({ limit: 1 })), answers("market store", market.newestResponse), draining],
    { concurrency: "unbounded" }
  )
  const health: Health = { ready: checks.every(({ ok }) => ok), checks }
  return json(health, health.ready ? 200 : 503)
})
