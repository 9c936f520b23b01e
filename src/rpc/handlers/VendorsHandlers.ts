import { Duration, Effect, Stream } from "effect"
import { vendorSessions } from "../../layers/registry/vendorSessions.ts"
import { AdapterRegistry } from "../../services/AdapterRegistry.ts"
import { VendorsRpcs } from "../contract/VendorsRpcs.ts"
import { counted } from "./CallTally.ts"
import { chunked } from "./chunked.ts"

const make = Effect.gen(function* () {
  const registry = yield* AdapterRegistry

  return VendorsRpcs.of({
    "Vendors.list": () =>
      Effect.flatMap(registry.list, (names) =>
        Effect.forEach(names, (name) =>
          // One that was unregistered in between is not there any more.
          Effect.orElseSucceed(
            Effect.map(registry.describe(name), (description) => [description]),
            () => []
          )
        )
      ).pipe(Effect.map((found) => found.flat())),

    "Vendors.describe": ({ vendor }) => registry.describe(vendor),

    "Vendors.ping": ({ vendor }) =>
      Effect.map(registry.ping(vendor), ({ detail, elapsed, ok }) => ({
        ok,
        elapsedMillis: Duration.toMillis(elapsed),
        detail
      })),

    "Vendors.sessions": () => vendorSessions(registry),

    "Vendors.session": ({ vendor }) =>
      counted(Stream.unwrap(Effect.map(registry.resolve(vendor), ({ session }) => session?.changes ?? Stream.empty))),

    "Vendors.symbols": ({ vendor }) =>
      counted(chunked(Effect.flatMap(registry.resolve(vendor), (adapter) => adapter.symbols)))
  })
})

export const layer = VendorsRpcs.toLayer(make)
