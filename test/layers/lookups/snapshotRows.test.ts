/** The pace of a snapshot of options, by a clock of the test's. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { nearest } from "../../../src/layers/lookups/nearTheMoney.ts"
import { snapshotRows } from "../../../src/layers/lookups/snapshotRows.ts"
import { NotEntitled, NotFound, Throttled, VendorError, type VendorErrorReason } from "../../../src/services/Adapter.ts"
import { ContractLookupsError } from "../../../src/services/ContractLookups.ts"
import type { StandingQuote } from "../../../src/services/LookupCapability.ts"

const strikes = Array.from({ length: 10 }, (_, index) => 95 + index)
const chain = {
  exchange: "SMART",
  tradingClass: "A",
  multiplier: 100,
  underlyingId: "1",
  expirations: ["2026-05-15"],
  strikes
}
const wanted = (most: number) => nearest({ symbol: "A", currency: "USD" }, chain, "2026-05-15", 100, most)
const pacing = { concurrency: 2, baseDelay: 100, backoffMultiplier: 2, maxContracts: 50 }

const quote: StandingQuote = {
  bid: 1,
  ask: 2,
  last: null,
  close: null,
  volume: null,
  openInterest: null,
  iv: null,
  delta: null,
  gamma: null,
  theta: null,
  vega: null,
  spot: null
}
const failed = (reason: VendorErrorReason) =>
  Effect.fail(new ContractLookupsError({ reason: new VendorError({ vendor: "v", reason }) }))

/** A vendor that takes 50 ms for each, and what it was asked when. */
const vendorOf = (trouble: (name: string, time: number) => VendorErrorReason | null) => {
  const asked: Array<{ readonly name: string; readonly at: number }> = []
  let inFlight = 0
  let most = 0
  const counts = new Map<string, number>()
  const ask = ({ right, strike }: { readonly right: string; readonly strike: number }) =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const name = `${right}${strike}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
      asked.push({ name, at })
      most = Math.max(most, ++inFlight)
      yield* Effect.sleep(50)
      inFlight--
      const reason = trouble(name, counts.get(name) ?? 0)
      return reason === null ? { answer: quote, at } : yield* failed(reason)
    })
  return { asked, ask, most: () => most }
}

const ran = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust("5 minutes")
    return yield* Effect.exit(Fiber.join(fiber))
  })

describe("rows of a snapshot", () => {
  it.effect("a few at a time, each behind its pause, the nearest first, in order of their strikes", () =>
    Effect.gen(function* () {
      const vendor = vendorOf(() => null)
      const exit = yield* ran(snapshotRows(wanted(6), pacing, vendor.ask))
      assert.strictEqual(exit._tag, "Success")
      const rows = exit._tag === "Success" ? exit.value.rows : []
      assert.deepStrictEqual(
        rows.map(({ right, strike }) => `${right}${strike}`),
        ["C99", "P99", "C100", "P100", "C101", "P101"]
      )
      assert.strictEqual(vendor.most(), 2)
      assert.deepStrictEqual(
        vendor.asked.map(({ at, name }) => `${name} ${at}`),
        ["C100 100", "P100 100", "C99 250", "P99 250", "C101 400", "P101 400"]
      )
    })
  )

  it.effect("who finds it too much is asked again, behind a pause that grows for all", () =>
    Effect.gen(function* () {
      const vendor = vendorOf((name, time) => (name === "C100" && time < 3 ? new Throttled({ retryAfter: 0 }) : null))
      const exit = yield* ran(snapshotRows(wanted(4), { ...pacing, concurrency: 1 }, vendor.ask))
      assert.strictEqual(exit._tag === "Success" ? exit.value.rows.length : 0, 4)
      // 100 ms, twice that, and twice that again; it stays there.
      assert.deepStrictEqual(
        vendor.asked.map(({ at, name }) => `${name} ${at}`),
        ["C100 100", "C100 350", "C100 800", "P100 1250", "C99 1700", "P99 2150"]
      )
    })
  )

  it.effect("what is not listed, and what stays too much, is left out and said", () =>
    Effect.gen(function* () {
      const vendor = vendorOf((name) =>
        name === "P100"
          ? new NotFound({ message: "200" })
          : name === "C99"
            ? new Throttled({ retryAfter: 3_000 })
            : null
      )
      const exit = yield* ran(snapshotRows(wanted(4), pacing, vendor.ask))
      assert.strictEqual(exit._tag, "Success")
      if (exit._tag !== "Success") return
      assert.deepStrictEqual(
        exit.value.rows.map(({ right, strike }) => `${right}${strike}`),
        ["P99", "C100"]
      )
      assert.deepStrictEqual(exit.value.omitted, [
        { right: "C", strike: 99, reason: "v: throttled; try again in 3 s" },
        { right: "P", strike: 100, reason: "not listed" }
      ])
    })
  )

  it.effect("where nothing can be had that is the answer, unless nothing is listed", () =>
    Effect.gen(function* () {
      const barred = vendorOf(() => new NotEntitled({ message: "no permission" }))
      const exit = yield* ran(snapshotRows(wanted(4), pacing, barred.ask))
      assert.strictEqual(exit._tag, "Failure")
      assert.include(JSON.stringify(exit), "NotEntitled")
      const none = yield* ran(snapshotRows(wanted(4), pacing, vendorOf(() => new NotFound({ message: "200" })).ask))
      assert.strictEqual(none._tag === "Success" ? none.value.omitted.length : 0, 4)
    })
  )
})
