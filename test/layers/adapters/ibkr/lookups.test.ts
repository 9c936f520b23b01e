import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as ZoneClock from "../../../../src/domain/ZoneClock.ts"
import { nameOf } from "../../../../src/layers/adapters/ibkr/contractKinds.ts"
import { ibkrLookups } from "../../../../src/layers/adapters/ibkr/ibkrLookups.ts"
import { sessionHours } from "../../../../src/layers/adapters/ibkr/sessionHours.ts"

const hoursIn = (zone: string, text: string) =>
  sessionHours(text, ZoneClock.make(zone))?.map(({ end, start }) =>
    [start, end].map((at) => new Date(at).toISOString())
  )

describe("hours of trade", () => {
  it("are instants: closed days have none, sessions of a day are told apart, nights reach into the next", () => {
    assert.deepStrictEqual(
      hoursIn(
        "US/Central",
        "20260306:1700-20260307:1600;20260308:CLOSED;20260309:0830-20260309:1515,20260309:1530-20260309:1600"
      ),
      [
        ["2026-03-06T23:00:00.000Z", "2026-03-07T22:00:00.000Z"],
        // The clocks have changed.
        ["2026-03-09T13:30:00.000Z", "2026-03-09T20:15:00.000Z"],
        ["2026-03-09T20:30:00.000Z", "2026-03-09T21:00:00.000Z"]
      ]
    )
  })

  it("are unknown where the zone or a moment is", () => {
    assert.strictEqual(hoursIn("Nowhere/Land", "20260309:0830-20260309:1515"), undefined)
    assert.strictEqual(hoursIn("UTC", "20260309:830-20260309:1515"), undefined)
    assert.strictEqual(hoursIn("UTC", ""), undefined)
    assert.deepStrictEqual(hoursIn("UTC", "20260309:CLOSED"), [])
  })
})

describe("names of contracts", () => {
  const base = { id: "7", symbol: "AAPL", currency: "USD", exchange: "SMART", secType: "STK" }
  const option = {
    ...base,
    secType: "OPT",
    expiry: "2026-05-15",
    right: "C",
    strike: 202.5,
    tradingClass: "AAPL"
  } as const

  it("are spelled out where that means one contract", () => {
    assert.strictEqual(nameOf(base), "AAPL")
    assert.strictEqual(nameOf({ ...base, symbol: "BRK B" }), "BRK.B")
    assert.strictEqual(nameOf(option), "OPT:AAPL-20260515-C-202.5")
    assert.strictEqual(nameOf({ ...base, secType: "CASH", symbol: "EUR", exchange: "IDEALPRO" }), "EUR.USD")
    assert.strictEqual(
      nameOf({ ...base, secType: "FUT", symbol: "ES", expiry: "2026-06-19", exchange: "CME" }),
      "FUT:ES-20260619@CME"
    )
    assert.strictEqual(nameOf({ ...base, secType: "IND", symbol: "SPX", exchange: "CBOE" }), "IND:SPX@CBOE")
  })

  it("are their number elsewhere", () => {
    assert.strictEqual(nameOf({ ...base, currency: "EUR" }), "#7")
    assert.strictEqual(nameOf({ ...option, tradingClass: "2AAPL" }), "#7")
    assert.strictEqual(nameOf({ ...base, secType: "WAR" }), "#7")
    assert.strictEqual(nameOf({ ...base, secType: "IND", symbol: "SPX" }), "#7")
    // Spelled out they would mean another one: BT A, and BAC PRL in capitals.
    assert.strictEqual(nameOf({ ...base, symbol: "BT.A" }), "#7")
    assert.strictEqual(nameOf({ ...base, symbol: "BAC pRL" }), "#7")
  })
})

describe("a search", () => {
  it.effect("is for printable text: a NUL would be fields of the message of which nobody knows", () =>
    Effect.gen(function* () {
      const { search } = ibkrLookups("ibkr")
      if (search === undefined) throw new Error("there is a search")
      assert.deepStrictEqual((yield* search.request("Müller & Söhne")).params, { pattern: "Müller & Söhne" })
      for (const pattern of ["", "A\0\u00001", "a\nb", "x".repeat(101)]) {
        assert.strictEqual((yield* Effect.flip(search.request(pattern))).reason._tag, "Rejected")
      }
    })
  )
})
