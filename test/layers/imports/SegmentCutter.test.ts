/** Segments follow from the text alone, end with whole rows, and together are the text. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { type Cut, SegmentCutter } from "../../../src/layers/imports/SegmentCutter.ts"

const size = 24

const cutsOf = (pieces: ReadonlyArray<Uint8Array>, quotes: boolean): ReadonlyArray<Cut> | "too long" => {
  const cutter = new SegmentCutter({ quotes, offset: 100, line: 5, size })
  const cuts: Array<Cut> = []
  const drain = (ended: boolean) => {
    for (let cut = cutter.take(ended); cut !== null; cut = cutter.take(ended)) cuts.push(cut)
  }
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      at = cutter.push(piece, at)
      drain(false)
      if (cutter.tooLong !== null) return "too long"
    }
  }
  drain(true)
  return cutter.tooLong === null ? cuts : "too long"
}

const pieces = (bytes: Uint8Array, sizes: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const out: Array<Uint8Array> = []
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const length = sizes[index % sizes.length] ?? 1
    out.push(bytes.subarray(at, at + length))
    at += length
  }
  return out
}

const line = fc.string({ unit: fc.constantFrom("a", "1", ",", '""', "é"), maxLength: 9 })
const text = fc.array(line, { maxLength: 40 }).map((lines) => lines.join("\n"))

describe("SegmentCutter", () => {
  it("cuts a text the same, in whatever pieces it comes", () => {
    let several = 0
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        fc.boolean(),
        (given, sizes, quotes) => {
          const bytes = new TextEncoder().encode(given)
          const whole = cutsOf([bytes], quotes)
          assert.deepStrictEqual(cutsOf(pieces(bytes, sizes), quotes), whole)
          if (whole === "too long") return
          assert.strictEqual(Buffer.concat(whole.map((cut) => cut.bytes)).toString(), given)
          let offset = 100
          for (const [index, cut] of whole.entries()) {
            assert.strictEqual(cut.offset, offset)
            assert.strictEqual(
              cut.line,
              5 + given.slice(0, Buffer.from(bytes.subarray(0, offset - 100)).toString().length).split("\n").length - 1
            )
            if (index < whole.length - 1) assert.strictEqual(cut.bytes.at(-1), 10, "ends with a row")
            assert.isAtMost(cut.bytes.length, size)
            offset += cut.bytes.length
          }
          several += whole.length > 2 ? 1 : 0
        }
      ),
      { numRuns: 2_000 }
    )
    assert.isAbove(several, 500)
  })

  it("does not cut within quotes, and says where a line is too long for a segment", () => {
    const bytes = (text: string) => new TextEncoder().encode(text)
    const row = '"b\nb\nb\nb\nb\nb\nb\nb"\n'
    const cuts = cutsOf([bytes(`aaaaaaaa\n${row}cccccc\n`)], true)
    assert.deepStrictEqual(cuts === "too long" ? [] : cuts.map((cut) => Buffer.from(cut.bytes).toString()), [
      "aaaaaaaa\n",
      row,
      "cccccc\n"
    ])
    assert.strictEqual(cutsOf([bytes("x".repeat(size))], false), "too long")
  })
})
