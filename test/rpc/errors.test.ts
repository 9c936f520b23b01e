/**
 * Every error of the contract arrives at every client as itself: an instance of its class, with its fields and its message, and can
 * be caught by its tags from the service down to the reason.
 *
 * The errors are read from the contract's schemas. One that no row raises fails the first test here, which names it. All of them
 * are raised in the handlers of a server; those that a test can provoke are provoked in a real one, too.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Duration, Effect, Layer } from "effect"
import { unlimited } from "../../src/domain/VendorLimits.ts"
import { RetryPolicy } from "../../src/layers/ingest/RetryPolicy.ts"
import { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import { errorPath } from "../../src/rpc/handlers/errorPath.ts"
import { type Adapter, Unavailable, VendorError } from "../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import { errorInstances, protocolErrors } from "./errorInstances.ts"
import { contractErrors } from "./handlers/errorPaths.ts"
import { described } from "./handlers/wire.ts"
import { layer as world } from "./handlers/world.ts"
import { everywhere, transports } from "./overTransports.ts"
import { type CallError, maxRows, provoked, troubledVendor } from "./provokedErrors.ts"
import { carriers, raisingServer } from "./raisingServer.ts"

describe("errors of the contract", () => {
  const known = contractErrors()

  it("have a row each", () => {
    const without = [...known].filter(([path]) => !errorInstances.has(path))
    assert.deepStrictEqual(
      without.map(([path, procedures]) => `${path} (of ${procedures.join(", ")}) has no row in errorInstances.ts`),
      []
    )
  })

  it("and no row is of an error that is not in the contract", () => {
    const rows = [...errorInstances.keys(), ...Object.keys(provoked)]
    assert.deepStrictEqual(
      rows.filter((path) => !known.has(path)),
      []
    )
  })
})

interface Tagged {
  readonly _tag: string
  readonly reason?: unknown
}
const isTagged = (value: unknown): value is Tagged => typeof value === "object" && value !== null && "_tag" in value

/** Catches by each tag in turn, as a program would; gives what the last one caught. */
const caughtBy = (path: string, call: Effect.Effect<unknown, Tagged>): Effect.Effect<Tagged, unknown> => {
  const [tag = "", ...rest] = path.split("/")
  return call.pipe(
    Effect.flatMap(() => Effect.die(new Error("it did not fail"))),
    Effect.catchTag(tag, (error) => {
      if (rest.length === 0) return Effect.succeed(error)
      assert.isTrue(isTagged(error.reason), `${errorPath(error)} has a reason to go on with`)
      return isTagged(error.reason) ? caughtBy(rest.join("/"), Effect.fail(error.reason)) : Effect.die(error)
    })
  )
}

/** A client of every transport, by name. */
class Clients extends Context.Service<Clients, ReadonlyMap<string, TapestryClient["Service"]>>()("test/Clients") {}

const clientsOf = (addresses: Parameters<(typeof transports)[string]>[0]) =>
  Effect.map(
    Effect.forEach(Object.entries(transports), ([name, connect]) =>
      Effect.map(Layer.build(connect(addresses)), (context) => [name, Context.get(context, TapestryClient)] as const)
    ),
    (clients) => new Map(clients)
  )

const clientOf = (name: string) =>
  Effect.flatMap(Clients, (clients) => {
    const client = clients.get(name)
    return client === undefined ? Effect.die(new Error(`no client ${name}`)) : Effect.succeed(client)
  })

const raising = Layer.effect(Clients, Effect.flatMap(raisingServer, clientsOf))

layer(raising, { excludeTestServices: true })("errors that handlers raise", (it) => {
  for (const name of Object.keys(transports)) {
    for (const [path, error] of errorInstances) {
      it.effect(`${path} over ${name}`, () =>
        Effect.gen(function* () {
          const client = yield* clientOf(name)
          for (const call of carriers[error._tag](client, path)) {
            const arrived = yield* Effect.flip(call)
            assert.deepStrictEqual(described(arrived), described(error))
            assert.isTrue(arrived instanceof error.constructor, "an instance of its class")
            const innermost = yield* caughtBy(path, Effect.fail(arrived))
            assert.strictEqual(innermost._tag, path.split("/").at(-1))
          }
        })
      )
    }

    it.effect(`ProtocolError of each code over ${name}`, () =>
      Effect.gen(function* () {
        const client = yield* clientOf(name)
        for (const error of protocolErrors()) {
          const call = client["System.hello"](undefined, { headers: { "x-code": error.code } })
          const arrived = yield* Effect.flip(call)
          assert.deepStrictEqual(described(arrived), described(error))
        }
      })
    )

    it.effect(`catchReason over ${name}`, () =>
      Effect.gen(function* () {
        const client = yield* clientOf(name)
        const query = { symbol: "ALPHA", kind: "bar", timeframe: "1d" } as const
        const ping = yield* client["Vendors.ping"]({ vendor: "VendorError/Throttled" }).pipe(
          Effect.catchReason("VendorError", "Throttled", ({ retryAfter }) => Effect.succeed(retryAfter))
        )
        assert.strictEqual(ping, 1_500.5)
        const resolved = yield* client["Series.resolve"]({
          vendor: "StitchingCacheError/QuotaError/Pacing",
          query
        }).pipe(
          Effect.catchReason("StitchingCacheError", "QuotaError", (quota) => Effect.fail(quota)),
          Effect.catchReason("QuotaError", "Pacing", ({ retryAfter }) => Effect.succeed(retryAfter))
        )
        assert.strictEqual(resolved, 12_345)
      })
    )
  }
})

/** Vendors beside the model: one that can do nothing and does not answer, and one that is broken. */
const mute: Adapter = {
  name: "mute",
  type: "mute",
  description: "can do nothing",
  account: "mute",
  limits: unlimited,
  symbols: Effect.succeed([]),
  ping: Effect.fail(new VendorError({ vendor: "mute", reason: new Unavailable({ message: "silence" }) }))
}
const broken: Adapter = { ...mute, name: "broken", ping: Effect.die(new Error("a secret of the adapter")) }

const real = Layer.effect(
  Clients,
  Effect.gen(function* () {
    const registry = yield* AdapterRegistry
    yield* registry.register(Effect.succeed(mute))
    yield* registry.register(Effect.succeed(broken))
    return yield* clientsOf(yield* everywhere)
  })
).pipe(
  Layer.provide(world(troubledVendor, { maxRows })),
  Layer.provide(Layer.succeed(RetryPolicy, { attempts: 1, base: 1, cap: 1, patience: 0 })),
  Layer.orDie
)

layer(real, { excludeTestServices: true, timeout: Duration.seconds(30) })(
  "errors that a real server is brought to",
  (it) => {
    for (const name of Object.keys(transports)) {
      for (const [path, provoke] of Object.entries(provoked)) {
        it.effect(`${path} over ${name}`, () =>
          Effect.gen(function* () {
            const call: Effect.Effect<unknown, CallError> = provoke(yield* clientOf(name))
            const error = yield* Effect.flip(call)
            assert.strictEqual(errorPath(error), path)
            assert.isTrue(error instanceof (errorInstances.get(path)?.constructor ?? Function))
            assert.notInclude(error.message, "secret")
            yield* caughtBy(path, Effect.fail(error))
          })
        )
      }
    }
  }
)
