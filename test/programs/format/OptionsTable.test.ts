import { assert, describe, it } from "@effect/vitest"
import type { OptionsSnapshot } from "../../../src/domain/OptionsSnapshot.ts"
import type { OptionSnapshot } from "../../../src/domain/records/OptionSnapshot.ts"
import { optionsLines } from "../../../src/programs/format/OptionsTable.ts"
import { styleOf } from "../../../src/programs/terminal/Style.ts"

const plain = styleOf({ colours: false })
const row = (right: "C" | "P", strike: number, over: Partial<OptionSnapshot> = {}): OptionSnapshot => ({
  ts: 0,
  expiry: "2026-05-15",
  right,
  strike,
  bid: 1.5,
  ask: 1.55,
  last: null,
  iv: 0.2534,
  delta: right === "C" ? 0.5 : -0.5,
  gamma: 0.04,
  theta: -0.1,
  vega: 0.17,
  openInterest: 12_345,
  volume: 0,
  spot: 101,
  ...over
})
const snapshot = (over: Partial<OptionsSnapshot> = {}): OptionsSnapshot => ({
  vendor: "v",
  underlying: "A",
  currency: "USD",
  exchange: "SMART",
  tradingClass: "A",
  multiplier: 100,
  expiry: "2026-05-15",
  spot: 101,
  rows: [row("C", 100), row("P", 100), row("C", 102.5), row("P", 105)],
  omitted: [],
  ...over
})

describe("a table of options", () => {
  it("has calls left and puts right of the strike, and a rule where the price is", () => {
    const [title, sides = "", header = "", ...body] = optionsLines(snapshot(), plain, 80)
    assert.strictEqual(title, "A  2026-05-15  at 101 USD  SMART  100 a contract")
    const middle = header.indexOf("strike")
    assert.isTrue(sides.indexOf("CALLS") < middle && sides.indexOf("PUTS") > middle)
    assert.deepStrictEqual(body, [
      "0.500  25.3%        1.50  1.55   100.0  1.50  1.55        25.3%  -0.500",
      `${"─".repeat(body[1]?.indexOf(" ") ?? 0)} 101 ${"─".repeat((body[1]?.length ?? 0) - (body[1]?.indexOf(" ") ?? 0) - 5)}`,
      "0.500  25.3%        1.50  1.55   102.5",
      "                                 105.0  1.50  1.55        25.3%  -0.500",
      "4 contracts"
    ])
  })

  it("leaves columns out where the terminal is narrow, and never a price", () => {
    for (const width of [40, 70, 80, 100, 120, 200]) {
      const lines = optionsLines(snapshot(), plain, width)
      const [, , header = ""] = lines
      assert.include(header, "bid")
      if (width >= 70)
        assert.isTrue(
          lines.every((line) => line.length <= width),
          `${width}`
        )
      assert.strictEqual(header.includes("vega"), width >= 150)
    }
  })

  it("says what is missing, and why", () => {
    const omitted = [
      { right: "C" as const, strike: 97.5, reason: "not listed" },
      { right: "P" as const, strike: 97.5, reason: "not listed" },
      { right: "P" as const, strike: 102.5, reason: "ibkr: throttled; try again in 2 s" }
    ]
    const lines = optionsLines(snapshot({ omitted }), plain, 80)
    assert.deepStrictEqual(lines.slice(-3), [
      "not listed: C 97.5, P 97.5",
      "P 102.5: ibkr: throttled; try again in 2 s",
      "4 contracts"
    ])
    assert.deepStrictEqual(optionsLines(snapshot({ rows: [], spot: null }), plain, 80), [
      "A  2026-05-15  no price  SMART  100 a contract",
      "no options to show"
    ])
  })
})
