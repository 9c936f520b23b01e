import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { decode, type Echo, EchoBlock } from "../../../src/layers/market/EchoBlock.ts"

const encode = (echoes: ReadonlyArray<Echo>): Uint8Array => {
  const block = new EchoBlock()
  for (const { mask, position, ts } of echoes) block.add(ts, position, mask)
  return block.encode()
}

describe("EchoBlock", () => {
  it("gives back what was put in, for any stamps and positions", () => {
    const echo = fc.record({
      ts: fc.oneof(fc.integer({ min: -100_000, max: 2_000_000_000_000 }), fc.maxSafeInteger()),
      position: fc.oneof(fc.integer({ min: -1, max: 2 ** 46 }), fc.maxSafeInteger()),
      mask: fc.integer({ min: 0, max: 7 })
    })
    fc.assert(
      fc.property(fc.array(echo), (echoes) => {
        assert.deepStrictEqual(decode(encode(echoes)), echoes)
      })
    )
  })

  it("takes about two bytes a stamp on a regular series", () => {
    const echoes: ReadonlyArray<Echo> = Array.from({ length: 2_000 }, (_, index) => ({
      ts: 1_600_000_000_000 + index * 60_000,
      position: index + 2,
      mask: 0
    }))
    assert.isBelow(encode(echoes).length, 2 * echoes.length + 20)
  })
})
