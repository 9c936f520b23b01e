/**
 * Vendors by name, in this process.
 *
 * Responsibilities: one scope per adapter, forked from the scope that registers it; a name is taken only by an adapter that
 * was made, and freed before its resources are closed, so that whoever resolves a name never gets a closed adapter.
 * Queueing: none; a lookup is synchronous, and adapters are made beside each other.
 *
 * Hard cases: two registrations of one name at once (the one that is made last fails and is closed); making that fails or is
 * interrupted half way (what it had opened is closed before the failure is seen); `unregister` while the surrounding scope
 * closes (the adapter's scope closes once, whoever is first).
 */
import { Effect, Exit, Layer, Scope } from "effect"
import type { Adapter } from "../../services/Adapter.ts"
import {
  AdapterRegistry,
  AdapterRegistryError,
  type Capability,
  DuplicateVendor,
  MissingCapability,
  UnknownVendor
} from "../../services/AdapterRegistry.ts"

interface Registration {
  readonly adapter: Adapter
  readonly scope: Scope.Closeable
}

const capabilitiesOf = (adapter: Adapter): ReadonlyArray<Capability> => {
  const has: Array<Capability> = []
  if (adapter.fetch !== undefined) has.push("fetch")
  if (adapter.send !== undefined) has.push("send")
  if (adapter.stream !== undefined) has.push("stream")
  return has
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const make = Effect.sync(() => {
  const registrations = new Map<string, Registration>()
  const names = () => Array.from(registrations.keys()).sort(byName)

  const find = (vendor: string): Effect.Effect<Registration, AdapterRegistryError> =>
    Effect.suspend(() => {
      const registration = registrations.get(vendor)
      return registration === undefined
        ? Effect.fail(new AdapterRegistryError({ reason: new UnknownVendor({ vendor, known: names() }) }))
        : Effect.succeed(registration)
    })

  // Lookups, several for every range: a span and its stack trace would cost more than one does.
  const resolve = Effect.fnUntraced(function* (vendor: string) {
    return (yield* find(vendor)).adapter
  })

  const missing = (adapter: Adapter, capability: Capability): AdapterRegistryError =>
    new AdapterRegistryError({
      reason: new MissingCapability({ vendor: adapter.name, capability, has: capabilitiesOf(adapter) })
    })

  const register = Effect.fn("AdapterRegistry.register")(function* <E, R>(made: Effect.Effect<Adapter, E, R>) {
    const surrounding = yield* Effect.scope
    return yield* Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const scope = yield* Scope.fork(surrounding)
        const adapter = yield* restore(Scope.provide(made, scope)).pipe(
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
        if (registrations.has(adapter.name)) {
          const duplicate = new AdapterRegistryError({ reason: new DuplicateVendor({ vendor: adapter.name }) })
          yield* Scope.close(scope, Exit.fail(duplicate))
          return yield* duplicate
        }
        registrations.set(adapter.name, { adapter, scope })
        // Added after the adapter's own finalizers, hence run before them: the name goes first.
        yield* Scope.addFinalizer(
          scope,
          Effect.sync(() => registrations.delete(adapter.name))
        )
        return adapter
      })
    )
  })

  const unregister = Effect.fn("AdapterRegistry.unregister")(function* (vendor: string) {
    const { scope } = yield* find(vendor)
    yield* Scope.close(scope, Exit.void)
  })

  const clear = Effect.suspend(() =>
    Effect.forEach(Array.from(registrations.values()).reverse(), ({ scope }) => Scope.close(scope, Exit.void), {
      discard: true
    })
  ).pipe(Effect.withSpan("AdapterRegistry.clear"))

  return AdapterRegistry.of({
    register,
    unregister,
    clear,
    resolve,
    fetcher: Effect.fnUntraced(function* (vendor) {
      const { adapter } = yield* find(vendor)
      if (adapter.fetch === undefined) return yield* missing(adapter, "fetch")
      return { ...adapter, fetch: adapter.fetch }
    }),
    sender: Effect.fn("AdapterRegistry.sender")(function* (vendor) {
      const { adapter } = yield* find(vendor)
      if (adapter.send === undefined) return yield* missing(adapter, "send")
      return { ...adapter, send: adapter.send }
    }),
    streamer: Effect.fn("AdapterRegistry.streamer")(function* (vendor) {
      const { adapter } = yield* find(vendor)
      if (adapter.stream === undefined) return yield* missing(adapter, "stream")
      return { ...adapter, stream: adapter.stream }
    }),
    list: Effect.sync(names),
    describe: Effect.fn("AdapterRegistry.describe")(function* (vendor) {
      const { adapter } = yield* find(vendor)
      return {
        name: adapter.name,
        type: adapter.type,
        description: adapter.description,
        account: adapter.account,
        capabilities: capabilitiesOf(adapter),
        ...(adapter.lookups === undefined ? {} : { lookups: Object.keys(adapter.lookups) }),
        decoderVersion: adapter.fetch?.decoderVersion ?? null,
        limits: adapter.limits
      }
    }),
    ping: Effect.fn("AdapterRegistry.ping")(function* (vendor) {
      const { adapter } = yield* find(vendor)
      return yield* adapter.ping
    })
  })
})

/** An empty registry. Adapters that are still registered when the layer's users are gone belong to their own scopes. */
export const layer: Layer.Layer<AdapterRegistry> = Layer.effect(AdapterRegistry, make)
