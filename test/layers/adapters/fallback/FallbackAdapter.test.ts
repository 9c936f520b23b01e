import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import type { Trade } from "../../../../src/domain/records/Trade.ts"
import { isRows } from "../../../../src/domain/streams/StreamEvent.ts"
import type { StreamKind } from "../../../../src/domain/streams/StreamKind.ts"
import { millisOf, type Ticker } from "../../../../src/domain/streams/StreamRow.ts"
import * as FallbackAdapter from "../../../../src/layers/adapters/fallback/FallbackAdapter.ts"
import { type FallbackVendorSpec, resolveVendor } from "../../../../src/layers/adapters/fallback/FallbackVendor.ts"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor as ibkrVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { AdapterRegistry } from "../../../../src/services/AdapterRegistry.ts"
import { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import {
  atStart,
  began,
  eventsOf,
  over,
  pass,
  quotes,
  record,
  rowsOf,
  second,
  tags,
  trades,
  vendorOf
} from "../../streams/support.ts"
import { rigged } from "../ibkr/rigged.ts"

const withFallback = Effect.fnUntraced(function* (spec: Partial<FallbackVendorSpec> = {}) {
  const registry = yield* AdapterRegistry
  const vendor = Result.getOrThrow(resolveVendor("demo", { adapter: "fallback", of: "model", ...spec }))
  yield* registry.register(Effect.succeed(FallbackAdapter.make(vendor, registry)))
})

const isMadeUp = (row: object): boolean => "venue" in row && row.venue === "SYNTHETIC"

describe("a fallback", () => {
  it.effect("is the vendor's stream while that one sends", () => {
    const vendor = vendorOf({ rate: 10 })
    return Effect.gen(function* () {
      yield* atStart
      yield* withFallback()
      const here = yield* record([quotes(), trades()], undefined, "demo")
      const there = yield* record([quotes(), trades()])
      yield* pass(30 * second)
      assert.isAbove(rowsOf(here).length, 100)
      assert.deepStrictEqual(rowsOf(here), rowsOf(there))
      assert.deepStrictEqual(rowsOf(here, 1), rowsOf(there, 1))
      assert.isFalse(rowsOf(here).some(isMadeUp))
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect(
    "makes rows up, each of which says so, while the vendor is away, and tells them as a gap when it is back",
    () => {
      const vendor = vendorOf({ rate: 10, faults: [{ kind: "gap", start: began + 10_000, end: began + 40_000 }] })
      return Effect.gen(function* () {
        yield* atStart
        yield* withFallback()
        const tape = yield* record([quotes(), trades()], undefined, "demo")
        yield* pass(60 * second)
        for (const stream of [0, 1]) {
          const rows = rowsOf(tape, stream)
          const [first] = rows
          assert.isDefined(first)
          const away = rows.filter((row) => millisOf(row) >= began + 10_000 && millisOf(row) < began + 40_000)
          assert.isAbove(away.length, 20)
          // Ten seconds are waited first, and after that all of it is made up.
          assert.isTrue(away.every((row) => isMadeUp(row) && millisOf(row) >= began + 20_000))
          assert.isFalse(rows.some((row) => !away.includes(row) && isMadeUp(row)))
          // It goes on from the last price that there was.
          const price = (row: object) => ("last" in row ? (row as Ticker).last : (row as Trade).price) ?? 0
          const before = rows.filter((row) => millisOf(row) < began + 10_000).at(-1)
          const [made] = away
          assert.isDefined(made)
          assert.isDefined(before)
          if (made !== undefined && before !== undefined)
            assert.approximately(price(made), price(before), price(before) * 0.01)
          const words = eventsOf(tape, stream).filter((event) => !isRows(event) && event._tag !== "DataType")
          assert.deepStrictEqual(
            words.map(({ _tag }) => _tag),
            ["Started", "Gap", "Resumed", "Unrepairable", "Gap", "Resumed", "Unrepairable"]
          )
          const missing = words.flatMap((event) => (event._tag === "Unrepairable" ? [[event.from, event.to]] : []))
          assert.strictEqual(missing.at(-1)?.[0], began + 20_000)
          assert.strictEqual(missing.at(-1)?.[1], began + 40_000)
        }
      }).pipe(Effect.provide(over(vendor)))
    }
  )

  it.effect("nothing that is made up is stored, and what the vendor refuses is not made up", () => {
    const vendor = vendorOf(
      { faults: [{ kind: "gap", start: began + 1_000, end: began + 60_000 }] },
      { forbidden: ["SECRET"] }
    )
    return Effect.gen(function* () {
      yield* atStart
      yield* withFallback({ after: 2 })
      const tape = yield* record([trades()], undefined, "demo")
      const refused = yield* record([trades("SECRET")], undefined, "demo")
      yield* pass(90 * second)
      assert.isTrue(rowsOf(tape).some(isMadeUp))
      assert.deepStrictEqual(tags(refused), ["Closed"])
      const records = yield* RecordStore
      assert.deepStrictEqual(yield* records.vendors, [])
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("of Interactive Brokers: live, simulated, and live again", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        yield* withFallback({ of: "ibkr", after: 5 })
        const tape = yield* record([{ symbol: "SPY", kind: "quotes" }], undefined, "demo")
        yield* pass(20 * second)
        const dropped = gateway.now()
        yield* gateway.inject({ _tag: "Refuse", forMillis: 30 * second })
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
        yield* pass(90 * second)
        const words: Array<string> = []
        let dataType = ""
        for (const event of eventsOf(tape)) {
          if (event._tag === "DataType") dataType = event.dataType
          if (event._tag === "DataType") words.push(event.dataType)
          else if (event._tag === "Gap" || event._tag === "Resumed" || event._tag === "Unrepairable")
            words.push(event._tag)
          // What is told is what it is said to be, row by row.
          if (isRows(event)) for (const row of event.rows) assert.strictEqual(isMadeUp(row), dataType === "simulated")
        }
        const told = ["live", "Gap", "simulated", "Resumed", "Unrepairable", "Gap", "live", "Resumed", "Unrepairable"]
        assert.deepStrictEqual(words, told)
        const made = rowsOf(tape).filter(isMadeUp)
        assert.isAbove(made.length, 20)
        assert.isTrue(made.every((row) => millisOf(row) >= dropped + 5 * second))
        assert.isFalse(isMadeUp(rowsOf(tape).at(-1) ?? {}))
      })
    )
  )

  it.effect("a gateway that has never been there is stood in for, too", () =>
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      const absent = Result.getOrThrow(ibkrVendor("ibkr", { port: 1 }, 1 << 26))
      yield* registry.register(IbkrAdapter.make(absent))
      yield* atStart
      yield* withFallback({ of: "ibkr" })
      const tape = yield* record([{ symbol: "SPY", kind: "quotes" }], undefined, "demo")
      yield* pass(9 * second)
      assert.deepStrictEqual(rowsOf(tape), [])
      yield* pass(9 * second)
      assert.isAbove(rowsOf(tape).length, 5)
      assert.isTrue(rowsOf(tape).every(isMadeUp))
      assert.includeMembers([...tags(tape)], ["DataType", "Started", "Quotes"])
    }).pipe(Effect.provide(over(vendorOf())))
  )

  it.effect("of nobody, of another fallback, and of a kind that is not made up", () =>
    Effect.gen(function* () {
      yield* withFallback()
      const registry = yield* AdapterRegistry
      for (const [name, of] of [
        ["nobody", "someone"],
        ["second", "demo"]
      ] as const) {
        const vendor = Result.getOrThrow(resolveVendor(name, { adapter: "fallback", of }))
        yield* registry.register(Effect.succeed(FallbackAdapter.make(vendor, registry)))
      }
      const market = yield* MarketStreams
      const why = (vendor: string, kind: StreamKind) =>
        Effect.map(Effect.flip(market.keys({ vendor, streams: [{ symbol: "ALPHA", kind }] })), ({ message }) => message)
      assert.include(yield* why("nobody", "quotes"), "no vendor named someone")
      assert.include(yield* why("second", "quotes"), "demo is a fallback itself; name the vendor behind it")
      assert.include(yield* why("demo", "news"), "does not stream news")
      assert.isTrue(Result.isFailure(resolveVendor("demo", { adapter: "fallback", of: "demo" })))
    }).pipe(Effect.provide(over(vendorOf())))
  )
})
