import { assert, describe, it } from "@effect/vitest"
import { type Bar, defectOf, sameValues } from "../../src/domain/Bar.ts"

const good: Bar = {
  ts: 1_546_387_200_000,
  open: 10,
  high: 12,
  low: 9,
  close: 11,
  volume: 100.5,
  vwap: 10.7,
  count: 3
}
const strict = { allowNonPositivePrices: false }
const lenient = { allowNonPositivePrices: true }

describe("Bar.defectOf", () => {
  const accepted: ReadonlyArray<readonly [what: string, change: Partial<Bar>]> = [
    ["a whole bar", {}],
    ["no volume, vwap or count", { volume: null, vwap: null, count: null }],
    ["no trade at all", { volume: 0, count: 0 }],
    ["a flat bar", { open: 10, high: 10, low: 10, close: 10 }],
    ["an instant before 1970", { ts: -1 }],
    ["an open outside of low and high, as some vendors have it", { open: 13 }],
    ["the smallest price", { low: Number.MIN_VALUE }]
  ]
  for (const [what, change] of accepted) {
    it(`accepts ${what}`, () => assert.strictEqual(defectOf({ ...good, ...change }, strict), null))
  }

  const refused: ReadonlyArray<readonly [change: Partial<Bar>, says: string]> = [
    [{ ts: 1.5 }, "ts is not a whole number of milliseconds: 1.5"],
    [{ ts: Number.NaN }, "ts is not a whole number of milliseconds: NaN"],
    [{ ts: 2 ** 53 }, "ts is not a whole number of milliseconds: 9007199254740992"],
    [{ open: Number.NaN }, "open is not a finite number: NaN"],
    [{ high: Number.POSITIVE_INFINITY }, "high is not a finite number: Infinity"],
    [{ low: Number.NEGATIVE_INFINITY }, "low is not a finite number: -Infinity"],
    [{ close: Number.NaN }, "close is not a finite number: NaN"],
    [{ high: 8 }, "high 8 is below low 9"],
    [{ volume: -1 }, "volume is negative: -1"],
    [{ volume: Number.NaN }, "volume is not a finite number: NaN"],
    [{ vwap: Number.POSITIVE_INFINITY }, "vwap is not a finite number: Infinity"],
    [{ count: Number.NaN }, "count is not a finite number: NaN"],
    [{ count: -3 }, "count is negative: -3"]
  ]
  for (const [change, says] of refused) {
    it(`refuses ${says}`, () => {
      assert.strictEqual(defectOf({ ...good, ...change }, strict), says)
      assert.strictEqual(defectOf({ ...good, ...change }, lenient), says)
    })
  }

  const nonPositive: ReadonlyArray<readonly [change: Partial<Bar>, says: string]> = [
    [{ low: 0 }, "low 0 is not above zero"],
    [{ low: -37.63, close: -37.63 }, "low -37.63 is not above zero"],
    [{ open: 0 }, "open 0 is not above zero"],
    [{ close: 0 }, "close 0 is not above zero"]
  ]
  for (const [change, says] of nonPositive) {
    it(`refuses ${says}, unless the series trades there`, () => {
      assert.strictEqual(defectOf({ ...good, ...change }, strict), says)
      assert.strictEqual(defectOf({ ...good, ...change }, lenient), null)
    })
  }
})

describe("Bar.sameValues", () => {
  it("compares everything but the instant", () => {
    assert.isTrue(sameValues(good, { ...good, ts: 0 }))
    for (const field of ["open", "high", "low", "close", "volume", "vwap", "count"] as const) {
      assert.isFalse(sameValues(good, { ...good, [field]: 10.25 }), field)
    }
    assert.isFalse(sameValues(good, { ...good, volume: null }))
    assert.isTrue(sameValues({ ...good, close: 0 }, { ...good, close: -0 }))
  })
})
