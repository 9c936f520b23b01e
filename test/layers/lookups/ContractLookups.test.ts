/** What a vendor is asked beside rows, over a real archive: of the model vendor, whose answers follow from a seed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { ContractLookups } from "../../../src/services/ContractLookups.ts"
import type { OptionsQuery } from "../../../src/services/LookupCapability.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { layer, utc } from "../../rpc/handlers/world.ts"
import { ticking } from "../adapters/ibkr/session.ts"

const responses = Effect.flatMap(ProvenanceStore, (archive) => archive.responses({ limit: 100 }))
describe("ContractLookups", () => {
  it.effect("describes, searches, and tells chain and first instant, each once a day", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(utc("2026-04-10T12:00Z"))
      const lookups = yield* ContractLookups
      const [alpha] = yield* lookups.describe("model", { symbol: "alpha" })
      assert.deepInclude(alpha, { id: "ALPHA", name: "ALPHA", kind: "stock", currency: "USD", minTick: 0.01 })
      const found = yield* lookups.search("model", "a")
      assert.deepStrictEqual(
        found.map(({ name }) => name),
        ["ALPHA", "BETA", "GAMMA"]
      )
      const [chain, ...others] = yield* lookups.chain("model", { symbol: "ALPHA" })
      assert.strictEqual(others.length, 0)
      assert.deepStrictEqual(chain?.expirations, ["2026-04-17", "2026-05-15", "2026-06-19", "2026-07-17"])
      // An option of the chain is a contract.
      const name = `ALPHA-2026-05-15-P-${chain?.strikes.find((strike) => strike % 10 === 0)}`
      const [option] = yield* lookups.describe("model", { symbol: name })
      assert.deepInclude(option, { name, kind: "option", expiry: "2026-05-15", right: "P", underlyingId: "ALPHA" })
      assert.strictEqual(yield* lookups.first("model", { symbol: "ALPHA" }), utc("2015-01-05"))

      const before = yield* responses
      yield* lookups.chain("model", { symbol: "ALPHA" })
      assert.strictEqual((yield* responses).length, before.length)
      yield* TestClock.adjust("1 day")
      yield* lookups.chain("model", { symbol: "ALPHA" })
      // The underlying, and its chain.
      assert.strictEqual((yield* responses).length, before.length + 2)
    }).pipe(Effect.provide(layer({ listedAt: utc("2015-01-05") })))
  )

  it.effect("options about the price: the nearest first, asked for anew each time, each archived by itself", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(utc("2026-04-10T12:00Z"))
      const lookups = yield* ContractLookups
      // The pauses between two are the test's, and the archive takes its own time.
      yield* ticking
      const asked = (query: Omit<OptionsQuery, "symbol"> = {}) =>
        lookups.options("model", { symbol: "ALPHA", ...query })
      const six = yield* asked({ maxContracts: 6 })
      const { spot } = six
      assert.isNotNull(spot)
      assert.deepInclude(six, {
        vendor: "model",
        underlying: "ALPHA",
        expiry: "2026-04-17",
        multiplier: 100,
        omitted: []
      })
      const [chain] = yield* lookups.chain("model", { symbol: "ALPHA" })
      const three = (chain?.strikes ?? [])
        .toSorted((a, b) => Math.abs(a - (spot ?? 0)) - Math.abs(b - (spot ?? 0)))
        .slice(0, 3)
        .sort((a, b) => a - b)
      assert.deepStrictEqual(
        six.rows.map(({ right, strike }) => `${right}${strike}`),
        three.flatMap((strike) => [`C${strike}`, `P${strike}`])
      )
      for (const { ask, bid, delta, expiry, iv, right } of six.rows) {
        assert.isTrue(bid !== null && ask !== null && bid < ask && (iv ?? 0) > 0)
        assert.strictEqual(Math.sign(delta ?? 0), right === "C" ? 1 : -1)
        assert.strictEqual(expiry, "2026-04-17")
      }
      const before = (yield* responses).length
      yield* asked({ maxContracts: 6 })
      // The underlying and six options: what there is is known, what stands is not.
      assert.strictEqual((yield* responses).length, before + 7)

      const later = yield* asked({ expiry: "20260515", maxContracts: 8 })
      assert.strictEqual(later.rows.length + later.omitted.length, 8)
      assert.isAbove(later.omitted.length, 0)
      for (const { reason, strike } of later.omitted) {
        assert.strictEqual(reason, "not listed")
        assert.notStrictEqual(strike % 10, 0)
      }
      const wrong = yield* Effect.flip(lookups.options("model", { symbol: "ALPHA", expiry: "20260516" }))
      assert.isTrue(wrong.reason._tag === "ExpiryNotListed" && wrong.reason.expirations.length === 4)
      const many = yield* Effect.flip(lookups.options("model", { symbol: "ALPHA", maxContracts: 51 }))
      assert.strictEqual(many.reason._tag, "TooManyContracts")
    }).pipe(Effect.provide(layer()))
  )

  it.effect("says what there is not", () =>
    Effect.gen(function* () {
      const lookups = yield* ContractLookups
      const registry = yield* AdapterRegistry
      const { lookups: _, ...mute } = ModelVendor.make({ name: "mute" }).adapter
      yield* registry.register(Effect.succeed(mute))
      assert.strictEqual((yield* registry.describe("mute")).lookups, undefined)
      assert.deepStrictEqual((yield* registry.describe("model")).lookups, [
        "describe",
        "search",
        "chain",
        "first",
        "quote"
      ])
      const asked = (vendor: string, symbol: string) =>
        Effect.map(Effect.flip(lookups.chain(vendor, { symbol })), ({ reason }) => reason)
      const none = yield* asked("mute", "ALPHA")
      assert.isTrue(none._tag === "LookupNotOffered" && none.vendor === "mute" && none.lookups.length === 0)
      assert.strictEqual((yield* asked("nobody", "ALPHA"))._tag, "AdapterRegistryError")
      const unknown = yield* asked("model", "NOBODY")
      assert.isTrue(unknown._tag === "VendorError" && unknown.reason._tag === "NotFound")
    }).pipe(Effect.scoped, Effect.provide(layer()))
  )
})
