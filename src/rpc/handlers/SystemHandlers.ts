import { Clock, Effect } from "effect"
import { MarketStore } from "../../services/MarketStore.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import type { Health } from "../contract/SystemRpcs.ts"
import { protocolVersion, SystemRpcs } from "../contract/SystemRpcs.ts"
import { TapestryRpcs } from "../contract/TapestryRpcs.ts"
import { Draining } from "./Draining.ts"
import { ServerInfo } from "./ServerInfo.ts"

/** `correlation`: a call's `x-correlation-id` names it in the server's log. */
const capabilities = ["correlation"]

const procedures = [...TapestryRpcs.requests.keys()].sort()

type Check = Health["checks"][number]

const check = (name: string, probe: Effect.Effect<unknown, { readonly message: string }>): Effect.Effect<Check> =>
  Effect.match(probe, {
    onSuccess: () => ({ name, ok: true, detail: "answers" }),
    onFailure: ({ message }) => ({ name, ok: false, detail: message })
  })

const draining = Effect.map(
  Effect.flatten(Draining),
  (is): Check => ({ name: "server", ok: !is, detail: is ? "is shutting down" : "takes calls" })
)

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const info = yield* ServerInfo

  return SystemRpcs.of({
    "System.hello": () =>
      Effect.map(Clock.currentTimeMillis, (now) => ({
        protocol: protocolVersion,
        product: info.product,
        capabilities,
        procedures,
        startedAt: info.startedAt,
        now
      })),

    "System.health": () =>
      Effect.map(
        Effect.all([
          check("archive", archive.sessions({ limit: 1 })),
          check("market store", market.newestResponse),
          draining
        ]),
        (checks) => ({ ready: checks.every(({ ok }) => ok), checks })
      )
  })
})

export const layer = SystemRpcs.toLayer(make)
