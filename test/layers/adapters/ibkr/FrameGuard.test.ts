import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { type FrameDamage, makeFrameGuard, maxFrame } from "../../../../src/layers/adapters/ibkr/FrameGuard.ts"
import { fieldsOf, frameOf, messageIdOf, requestIdOf } from "../../../../src/layers/adapters/ibkr/frames.ts"

const passed = (...chunks: ReadonlyArray<Uint8Array>) => {
  const frames: Array<ReadonlyArray<string>> = []
  let damage: FrameDamage | null = null
  const guard = makeFrameGuard((frame) => frames.push(fieldsOf(frame)))
  for (const chunk of chunks) damage = guard.push(Buffer.from(chunk))
  return { frames, damage }
}

const lengthOf = (length: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(length)
  return bytes
}
const good = frameOf([1, 6, 42, 1, "187.25", 300, 0])

describe("the guard in front of the library", () => {
  it("hands whole frames on, however they are cut", () => {
    const fields = fc.array(
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "")),
      { maxLength: 6 }
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(999), fields), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (messages, cuts) => {
          const wire = Buffer.concat(messages.map(([id, rest]) => frameOf([id, ...rest])))
          const places = [0, ...cuts.map((cut) => cut % (wire.length + 1)).toSorted((a, b) => a - b), wire.length]
          const chunks = places.slice(1).map((end, index) => wire.subarray(places[index], end))
          const { damage, frames } = passed(...chunks)
          assert.isNull(damage)
          assert.deepStrictEqual(
            frames.map(([id]) => id),
            messages.map(([id]) => String(id))
          )
          assert.deepStrictEqual(
            frames.map((frame) => frame.length),
            messages.map(([, rest]) => rest.length + 1)
          )
        }
      )
    )
  })

  for (const [what, bytes, fault] of [
    ["length below zero", lengthOf(-1), "length"],
    ["length of -6", lengthOf(-6), "length"],
    ["length 0", lengthOf(0), "length"],
    ["huge length", lengthOf(0x7f_ff_ff_ff), "length"],
    ["length one too large", lengthOf(maxFrame + 1), "length"],
    ["no NUL at its end", Buffer.concat([lengthOf(2), Buffer.from("49")]), "terminator"],
    ["random bytes", Buffer.concat([lengthOf(3), Buffer.from([0xc3, 0x28, 0])]), "message-number"],
    ["no number", frameOf(["APP", 1]), "message-number"],
    ["no field", frameOf([""]), "message-number"],
    ["no UTF-8", Buffer.concat([lengthOf(4), Buffer.from([52, 0, 0xff, 0])]), "encoding"]
  ] as const) {
    it(`stops at a frame with ${what}, after those before it`, () => {
      const { damage, frames } = passed(Buffer.concat([good, bytes, good]))
      assert.strictEqual(damage?.fault, fault)
      assert.strictEqual(frames.length, 1)
      assert.strictEqual(passed(Buffer.concat([bytes, good]), good).frames.length, 0)
    })
  }

  it("waits for the rest of a frame and for nothing else", () => {
    for (let cut = 1; cut < good.length; cut++) {
      assert.deepStrictEqual(passed(good.subarray(0, cut)), { frames: [], damage: null })
      assert.strictEqual(passed(good.subarray(0, cut), good.subarray(cut)).frames.length, 1)
    }
  })
})

describe("what a frame says of itself", () => {
  it("its kind, and the request that it answers", () => {
    assert.strictEqual(messageIdOf(good), 1)
    assert.strictEqual(requestIdOf(good, 1), 42)
    assert.strictEqual(requestIdOf(frameOf([17, 900_000_001, "a", "b", 0]), 17), 900_000_001)
    assert.strictEqual(requestIdOf(frameOf([4, 2, -1, 2104, "x", ""]), 4), -1)
    assert.strictEqual(requestIdOf(frameOf([15, 1, "DU1"]), 15), -1)
    assert.strictEqual(requestIdOf(frameOf([17]), 17), -1)
  })
})
