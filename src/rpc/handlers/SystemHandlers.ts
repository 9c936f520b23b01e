import { Clock, Effect } from "effect"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { MarketStore } from "../../services/MarketStore.ts"
import { MarketStreams } from "../../services/MarketStreams.ts"
import { ProvenanceStore } from "../../services/ProvenanceStore.ts"
import { protocolVersion, SystemRpcs } from "../contract/SystemRpcs.ts"
import { TapestryRpcs } from "../contract/TapestryRpcs.ts"
import { Draining } from "./Draining.ts"
import { ServerInfo } from "./ServerInfo.ts"
import { health, liveStanding } from "./storeHealth.ts"

/** `correlation`: a call's `x-correlation-id` names it in the server's log. `tenants`: its `tapestry-tenant` says whose data it is about. */
const capabilities = ["correlation", "tenants"]

const procedures = [...TapestryRpcs.requests.keys()].sort()

const make = Effect.gen(function* () {
  const archive = yield* ProvenanceStore
  const market = yield* MarketStore
  const streams = yield* MarketStreams
  const registry = yield* AdapterRegistry
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
      Effect.flatMap(liveStanding(streams, registry), (standing) =>
        health({ archive, market }, standing, Effect.flatten(Draining))
      )
  })
})

export const layer = SystemRpcs.toLayer(make)
