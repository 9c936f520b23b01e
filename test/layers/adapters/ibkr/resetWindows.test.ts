import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { isResetWindow, resetEnd, resetsByRegion } from "../../../../src/layers/adapters/ibkr/resetWindows.ts"

const shown = (windows: ReadonlyArray<string>, at: string): string | null => {
  const end = resetEnd(windows)(Date.parse(at))
  return end === null ? null : new Date(end).toISOString()
}

describe("the hours in which IB resets its servers", () => {
  for (const [region, at, end] of [
    // Eastern daylight time, and standard time.
    ["america", "2026-04-10T04:14:59Z", null],
    ["america", "2026-04-10T04:15:00Z", "2026-04-10T05:45:00.000Z"],
    ["america", "2026-04-10T05:44:59Z", "2026-04-10T05:45:00.000Z"],
    ["america", "2026-04-10T05:45:00Z", null],
    ["america", "2026-01-13T05:15:00Z", "2026-01-13T06:45:00.000Z"],
    // The night to Saturday is longer, and it is the only one.
    ["america", "2026-04-11T04:30:00Z", "2026-04-11T07:00:00.000Z"],
    ["europe", "2026-04-11T03:00:00Z", "2026-04-11T07:00:00.000Z"],
    ["europe", "2026-04-10T03:00:00Z", null],
    ["europe", "2026-04-10T05:00:00Z", "2026-04-10T05:45:00.000Z"],
    ["asia", "2026-04-09T21:00:00Z", "2026-04-09T22:05:00.000Z"],
    ["asia", "2026-04-10T12:20:00Z", "2026-04-10T13:15:00.000Z"],
    ["none", "2026-04-11T04:30:00Z", null],
    // Clocks go forward inside of it: it ends when clocks say so.
    ["america", "2026-03-07T06:00:00Z", "2026-03-07T08:00:00.000Z"]
  ] as const) {
    it(`${region} at ${at}`, () => {
      assert.strictEqual(shown(resetsByRegion[region], at), end)
    })
  }

  it("past midnight, and over a change of clocks", () => {
    const windows = ["23:45-03:30 America/New_York"]
    assert.strictEqual(shown(windows, "2026-03-08T06:59:00Z"), "2026-03-08T07:30:00.000Z")
    assert.strictEqual(shown(windows, "2026-03-08T04:45:00Z"), "2026-03-08T07:30:00.000Z")
    assert.isNull(shown(windows, "2026-03-08T07:30:00Z"))
    assert.strictEqual(shown(["00:00-00:00 UTC"], "2026-03-08T07:30:00Z"), "2026-03-09T00:00:00.000Z")
  })

  it("what is no window is refused", () => {
    for (const text of [
      "24:00-01:00 UTC",
      "1:00-2:00 UTC",
      "01:00-02:00",
      "01:00-02:00 Mars/Olympus",
      "Fr 01:00-02:00 UTC"
    ]) {
      assert.isFalse(isResetWindow(text), text)
    }
    assert.isTrue(isResetWindow("Sat 01:00-02:00 UTC"))
  })

  it("a vendor has those of its region, or its own", () => {
    const of = (spec: Parameters<typeof resolveVendor>[1]) => Result.getOrThrow(resolveVendor("ibkr", spec, 1)).resets
    assert.deepStrictEqual(of({}), resetsByRegion.america)
    assert.deepStrictEqual(of({ resets: "asia" }), resetsByRegion.asia)
    assert.deepStrictEqual(of({ resets: ["01:00-02:00 UTC"] }), ["01:00-02:00 UTC"])
  })
})
