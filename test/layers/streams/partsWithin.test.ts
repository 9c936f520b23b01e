import { assert, describe, it } from "vitest"
import { partsWithin } from "../../../src/layers/streams/partsWithin.ts"

const range = { start: 100, end: 200 }
const strange = "the history's answer was not about it"

describe("the parts of a gap", () => {
  it("are those of the gap, whatever range the answer was about", () => {
    assert.deepStrictEqual(partsWithin(range, [{ start: 100, end: 200, why: null }]), [{ ...range, why: null }])
    assert.deepStrictEqual(partsWithin(range, [{ start: 0, end: 500, why: null }]), [{ ...range, why: null }])
    assert.deepStrictEqual(partsWithin(range, []), [{ ...range, why: strange }])
    assert.deepStrictEqual(partsWithin(range, [{ start: 300, end: 400, why: null }]), [{ ...range, why: strange }])
  })

  it("have no hole and do not overlap", () => {
    const parts = partsWithin(range, [
      { start: 150, end: 170, why: "throttled" },
      { start: 90, end: 120, why: null },
      { start: 110, end: 130, why: "later" }
    ])
    assert.deepStrictEqual(parts, [
      { start: 100, end: 120, why: null },
      { start: 120, end: 130, why: "later" },
      { start: 130, end: 150, why: strange },
      { start: 150, end: 170, why: "throttled" },
      { start: 170, end: 200, why: strange }
    ])
  })
})
