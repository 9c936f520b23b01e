/** What every layer of ApiConfig must do. Uses the service alone, so that it runs unchanged against any database. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { ConfigKey } from "../../src/domain/ConfigEntry.ts"
import { ApiConfig, type ApiConfigError } from "../../src/services/ApiConfig.ts"
import type { MarketStoreError } from "../../src/services/MarketStore.ts"

const key = (text: string) => ConfigKey.make(text)
const reasonOf = <A, R>(effect: Effect.Effect<A, ApiConfigError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

/** Each test builds `layer` afresh and expects it to be empty. */
export const apiConfigContract = (name: string, layer: Layer.Layer<ApiConfig, MarketStoreError>): void => {
  const test = <E>(title: string, body: (config: ApiConfig["Service"]) => Effect.Effect<void, E>) =>
    it.effect(title, () => Effect.provide(Effect.flatMap(ApiConfig, body), Layer.fresh(layer)))

  describe(`ApiConfig contract (${name})`, () => {
    test("C67 values are set, read, listed by key, changed and removed; each change counts its version", (config) =>
      Effect.gen(function* () {
        const limits = key("alerts/limits")
        assert.isNull(yield* config.get(limits))
        yield* TestClock.setTime(1_000)
        const first = yield* config.set(limits, { stale: 15 }, { description: "for the night" })
        assert.deepStrictEqual(first, {
          key: limits,
          value: { stale: 15 },
          description: "for the night",
          version: 1,
          updatedAt: 1_000
        })
        yield* TestClock.setTime(2_000)
        assert.deepStrictEqual(yield* config.set(limits, { stale: 15 }), first, "the same again changes nothing")
        const second = yield* config.set(limits, { stale: 20 })
        assert.deepInclude(second, { version: 2, updatedAt: 2_000, description: "for the night" })
        assert.deepInclude(yield* config.set(limits, { stale: 20 }, { description: null }), {
          version: 3,
          description: null
        })
        yield* config.set(key("a"), null)
        yield* config.set(key("Z"), [1])
        yield* config.set(key("alerts_x"), 0)
        assert.deepStrictEqual(
          (yield* config.list()).map((entry) => entry.key),
          ["Z", "a", "alerts/limits", "alerts_x"]
        )
        assert.deepStrictEqual(
          (yield* config.list({ prefix: "alerts" })).map((entry) => entry.key),
          ["alerts/limits", "alerts_x"]
        )
        assert.lengthOf(yield* config.list({ prefix: "%" }), 0)
        assert.deepStrictEqual(yield* config.get(limits), (yield* config.list())[2])
        assert.isTrue(yield* config.unset(limits))
        assert.isFalse(yield* config.unset(limits))
        assert.isNull(yield* config.get(limits))
        assert.strictEqual((yield* config.set(limits, 1)).version, 1)
      }))

    test("every JSON value comes back as it was", (config) =>
      Effect.gen(function* () {
        const values: ReadonlyArray<Schema.Json> = [
          null,
          true,
          0,
          -1.5e-300,
          9_007_199_254_740_991,
          "",
          'ü \u{1F4C8} "quoted" \\ \n \u0000 \ud800',
          [],
          {},
          { b: [null, { "": 1 }], a: "x" },
          "v".repeat(65_534)
        ]
        for (const [index, value] of values.entries()) {
          yield* config.set(key(`v${index}`), value)
          assert.deepStrictEqual((yield* config.get(key(`v${index}`)))?.value, value)
        }
      }))

    test("what is too long, or what no database keeps, is refused and changes nothing", (config) =>
      Effect.gen(function* () {
        const one = yield* config.set(key("k"), 1)
        for (const wrong of [
          config.set(key("k"), "v".repeat(65_535)),
          config.set(key("k"), 2, { description: "d".repeat(2_001) }),
          config.set(key("k"), 2, { description: "a\0b" })
        ]) {
          assert.strictEqual((yield* reasonOf(wrong))._tag, "InvalidConfig")
        }
        assert.deepStrictEqual(yield* config.list(), [one])
        for (const text of ["", " a", "-a", "a b", "a\n", "k".repeat(201), "ü"]) {
          assert.isFalse(Schema.is(ConfigKey)(text), JSON.stringify(text))
        }
      }))

    test("of two who change one value from the same version, one is told", (config) =>
      Effect.gen(function* () {
        const k = key("k")
        assert.strictEqual((yield* config.set(k, 1, { ifVersion: 0 })).version, 1)
        const gone = yield* reasonOf(config.set(k, 2, { ifVersion: 0 }))
        assert.deepInclude(gone, { _tag: "ConfigChanged", key: "k", version: 1 })
        const both = yield* Effect.forEach([2, 3], (value) => Effect.exit(config.set(k, value, { ifVersion: 1 })), {
          concurrency: 2
        })
        assert.deepStrictEqual(both.map(({ _tag }) => _tag).sort(), ["Failure", "Success"])
        assert.strictEqual((yield* config.get(k))?.version, 2)
        assert.deepInclude(yield* reasonOf(config.unset(k, { ifVersion: 1 })), { _tag: "ConfigChanged", version: 2 })
        assert.isTrue(yield* config.unset(k, { ifVersion: 2 }))
        assert.deepInclude(yield* reasonOf(config.set(k, 1, { ifVersion: 2 })), { _tag: "ConfigChanged", version: 0 })
      }))

    test("changes of one value at once are all done, one after the other, and no version is given twice", (config) =>
      Effect.gen(function* () {
        const many = 20
        const versions = yield* Effect.forEach(
          Array.from({ length: many }, (_, index) => index),
          (index) => Effect.map(config.set(key("k"), index), ({ version }) => version),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(
          versions.sort((a, b) => a - b),
          Array.from({ length: many }, (_, index) => index + 1)
        )
      }))
  })
}
