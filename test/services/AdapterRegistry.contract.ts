/** What every AdapterRegistry must do. A test file calls `suite` with a layer. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, type Layer, Ref, Scope } from "effect"
import { unlimited } from "../../src/domain/VendorLimits.ts"
import { type Adapter, type FetchCapability, NotFound, VendorError } from "../../src/services/Adapter.ts"
import { AdapterRegistry } from "../../src/services/AdapterRegistry.ts"
import type { StreamCapability } from "../../src/services/StreamCapability.ts"

const refused = (vendor: string) =>
  Effect.fail(new VendorError({ vendor, reason: new NotFound({ message: "nothing here" }) }))

const fetchCapability = (vendor: string): FetchCapability => ({
  series: () => refused(vendor),
  request: () => refused(vendor),
  fetch: () => refused(vendor),
  decode: () => refused(vendor),
  locate: () => refused(vendor),
  cost: () => 0,
  decoderVersion: 7
})

const plain = (name: string): Adapter => ({
  name,
  type: "test",
  description: `the vendor ${name}`,
  account: "account",
  limits: unlimited,
  symbols: Effect.succeed([]),
  ping: Effect.succeed({ ok: true, elapsed: Duration.millis(3), detail: `${name} answered` })
})

const streaming: StreamCapability = {
  kinds: ["trades"],
  timeframes: [],
  lateness: 0,
  key: () => refused("b"),
  open: () => refused("b"),
  silence: () => null,
  history: () => null,
  series: () => null
}

const fetching = (name: string): Adapter => ({ ...plain(name), fetch: fetchCapability(name) })

/** An adapter that writes down when it is opened and closed. */
const recorded = (log: Ref.Ref<ReadonlyArray<string>>, name: string, adapter: Adapter = fetching(name)) =>
  Effect.acquireRelease(Ref.update(log, (entries) => [...entries, `open ${name}`]).pipe(Effect.as(adapter)), () =>
    Ref.update(log, (entries) => [...entries, `close ${name}`])
  )

const reasonOf = Effect.fnUntraced(function* <A, E extends { readonly reason: unknown }, R>(
  effect: Effect.Effect<A, E, R>
) {
  return (yield* Effect.flip(effect)).reason
})

export const suite = (name: string, layer: Layer.Layer<AdapterRegistry>) =>
  describe(`AdapterRegistry contract (${name})`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, AdapterRegistry | Scope.Scope>) =>
      it.effect(title, () => body.pipe(Effect.provide(layer)))

    test(
      "C22: a capability that an adapter has not is a typed error that lists those it has",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        yield* registry.register(Effect.succeed(fetching("a")))
        yield* registry.register(Effect.succeed({ ...plain("b"), stream: streaming }))
        assert.strictEqual((yield* registry.fetcher("a")).fetch.decoderVersion, 7)
        assert.deepStrictEqual((yield* registry.streamer("b")).stream.kinds, ["trades"])
        assert.deepInclude(yield* reasonOf(registry.sender("a")), {
          _tag: "MissingCapability",
          vendor: "a",
          capability: "send",
          has: ["fetch"]
        })
        assert.deepInclude(yield* reasonOf(registry.fetcher("b")), { _tag: "MissingCapability", has: ["stream"] })
        assert.strictEqual(
          (yield* Effect.flip(registry.streamer("a"))).message,
          "vendor a cannot stream; it can: fetch"
        )
      })
    )

    test(
      "C23: register, resolve, list in order, describe, unregister, clear",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        for (const vendor of ["zeta", "alpha", "Beta"]) yield* registry.register(Effect.succeed(fetching(vendor)))
        assert.deepStrictEqual(yield* registry.list, ["Beta", "alpha", "zeta"])
        assert.strictEqual((yield* registry.resolve("zeta")).name, "zeta")
        assert.deepStrictEqual(yield* registry.describe("alpha"), {
          name: "alpha",
          type: "test",
          description: "the vendor alpha",
          account: "account",
          capabilities: ["fetch"],
          decoderVersion: 7,
          limits: unlimited
        })
        yield* registry.unregister("alpha")
        assert.deepStrictEqual(yield* registry.list, ["Beta", "zeta"])
        assert.deepInclude(yield* reasonOf(registry.unregister("alpha")), { _tag: "UnknownVendor", vendor: "alpha" })
        yield* registry.clear
        assert.deepStrictEqual(yield* registry.list, [])
        yield* registry.clear
      })
    )

    test(
      "C23: a second adapter of a name is refused and closed; the first one stays",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const first = yield* registry.register(Effect.succeed(fetching("a")))
        assert.deepInclude(yield* reasonOf(registry.register(recorded(log, "a"))), {
          _tag: "DuplicateVendor",
          vendor: "a"
        })
        assert.deepStrictEqual(yield* Ref.get(log), ["open a", "close a"])
        assert.strictEqual(yield* registry.resolve("a"), first)
        yield* registry.unregister("a")
        yield* registry.register(recorded(log, "a"))
      })
    )

    test(
      "C23: of two registrations of one name at once exactly one holds, and the other is closed",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const go = yield* Deferred.make<void>()
        const slow = Effect.tap(recorded(log, "a"), () => Deferred.await(go))
        const both = yield* Effect.forkChild(
          Effect.forEach([1, 2], () => Effect.exit(registry.register(slow)), { concurrency: 2 }),
          { startImmediately: true }
        )
        yield* Deferred.succeed(go, undefined)
        const exits = yield* Fiber.join(both)
        assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
        assert.deepStrictEqual(yield* Ref.get(log), ["open a", "open a", "close a"])
      })
    )

    test(
      "C24: closing the surrounding scope unregisters first and then closes, in reverse order",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const scope = yield* Scope.make()
        const watching = Effect.acquireRelease(Effect.succeed(fetching("a")), () =>
          registry.list.pipe(
            Effect.flatMap((names) => Ref.update(log, (entries) => [...entries, `closing a, listed: ${names.join()}`]))
          )
        )
        yield* registry.register(watching).pipe(Scope.provide(scope))
        yield* registry.register(recorded(log, "b")).pipe(Scope.provide(scope))
        assert.deepStrictEqual(yield* registry.list, ["a", "b"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* Ref.get(log), ["open b", "close b", "closing a, listed: "])
        assert.deepStrictEqual(yield* registry.list, [])
      })
    )

    test(
      "C24: an adapter that cannot be made leaves nothing open and no name taken",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const broken = Effect.flatMap(recorded(log, "a"), () => Effect.fail("no connection"))
        assert.strictEqual(yield* Effect.flip(registry.register(broken)), "no connection")
        assert.deepStrictEqual(yield* Ref.get(log), ["open a", "close a"])
        const defect = Effect.flatMap(recorded(log, "a"), () => Effect.die("a defect"))
        assert.isTrue(Exit.isFailure(yield* Effect.exit(registry.register(defect))))
        assert.deepStrictEqual((yield* Ref.get(log)).slice(2), ["open a", "close a"])
        assert.deepStrictEqual(yield* registry.list, [])
        yield* registry.register(Effect.succeed(fetching("a")))
      })
    )

    test(
      "C24: interrupting the making of an adapter closes what it had opened",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const stuck = Effect.flatMap(recorded(log, "a"), () => Effect.never)
        const fiber = yield* Effect.forkChild(registry.register(stuck), { startImmediately: true })
        assert.deepStrictEqual(yield* Ref.get(log), ["open a"])
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* Ref.get(log), ["open a", "close a"])
        assert.deepStrictEqual(yield* registry.list, [])
      })
    )

    test(
      "C24: a scope that ends because a fetch failed closes its adapter all the same",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const run = Effect.scoped(
          Effect.gen(function* () {
            yield* registry.register(recorded(log, "a"))
            const { fetch } = yield* registry.fetcher("a")
            return yield* fetch.fetch({ kind: "bars", method: "GET", params: {}, body: null, weight: 1, keys: {} })
          })
        )
        assert.deepInclude(yield* reasonOf(run), { _tag: "NotFound" })
        assert.deepStrictEqual(yield* Ref.get(log), ["open a", "close a"])
        assert.deepStrictEqual(yield* registry.list, [])
      })
    )

    test(
      "C24: unregister and clear close at once, and the scope's own end closes nothing twice",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const log = yield* Ref.make<ReadonlyArray<string>>([])
        const scope = yield* Scope.make()
        for (const vendor of ["a", "b", "c"]) yield* registry.register(recorded(log, vendor)).pipe(Scope.provide(scope))
        yield* registry.unregister("b")
        assert.deepStrictEqual((yield* Ref.get(log)).slice(3), ["close b"])
        yield* registry.clear
        assert.deepStrictEqual((yield* Ref.get(log)).slice(3), ["close b", "close c", "close a"])
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* Ref.get(log)).length, 6)
      })
    )

    test(
      "C24: a name that was given to another adapter survives the end of the first one's scope",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        const scope = yield* Scope.make()
        yield* registry.register(Effect.succeed(fetching("a"))).pipe(Scope.provide(scope))
        yield* registry.unregister("a")
        const second = yield* registry.register(Effect.succeed(fetching("a")))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* registry.resolve("a"), second)
      })
    )

    test(
      "C30: ping asks the adapter, and an unknown vendor cannot be pinged",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        yield* registry.register(Effect.succeed(fetching("a")))
        assert.deepInclude(yield* registry.ping("a"), { ok: true, detail: "a answered" })
        assert.deepInclude(yield* reasonOf(registry.ping("b")), { _tag: "UnknownVendor" })
      })
    )

    test(
      "C31: an unknown vendor is a typed error that lists the known ones",
      Effect.gen(function* () {
        const registry = yield* AdapterRegistry
        assert.strictEqual((yield* Effect.flip(registry.resolve("x"))).message, "no vendor named x; known: none")
        for (const vendor of ["b", "a"]) yield* registry.register(Effect.succeed(fetching(vendor)))
        for (const effect of [
          Effect.asVoid(registry.resolve("x")),
          Effect.asVoid(registry.fetcher("x")),
          Effect.asVoid(registry.describe("x"))
        ]) {
          const error = yield* Effect.flip(effect)
          assert.deepInclude(error.reason, { _tag: "UnknownVendor", vendor: "x", known: ["a", "b"] })
          assert.strictEqual(error.message, "no vendor named x; known: a, b")
        }
      })
    )
  })
