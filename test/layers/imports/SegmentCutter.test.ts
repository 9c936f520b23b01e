/** Segments follow from the text alone, end with whole rows, and together are the text. */
import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { CsvRecords } from "../../../src/layers/adapters/records/CsvRecords.ts"
import { CsvRowEnds } from "../../../src/layers/adapters/records/CsvRowEnds.ts"
import { type Cut, SegmentCutter } from "../../../src/layers/imports/SegmentCutter.ts"

const size = 24

const cutsOf = (pieces: ReadonlyArray<Uint8Array>, csv: boolean): ReadonlyArray<Cut> | "too long" => {
  const cutter = new SegmentCutter({ ends: csv ? new CsvRowEnds(",") : null, offset: 100, line: 5, size })
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

const quotedText = fc
  .array(fc.string({ unit: fc.constantFrom("a", "1", ",", '"', '""', '"a,', ',"', "\r"), maxLength: 6 }), {
    maxLength: 24
  })
  .map((lines) => lines.join("\n"))

/** The fields of each record, and what is wrong with it. */
const recordsIn = (bytes: Uint8Array): ReadonlyArray<ReadonlyArray<string | null>> => {
  const records = new CsvRecords(bytes, ",")
  const found: Array<ReadonlyArray<string | null>> = []
  while (records.next()) {
    found.push([records.problem, ...Array.from({ length: records.fields }, (_, field) => records.text(field))])
    if (records.fatal) break
  }
  return found
}

describe("SegmentCutter", () => {
  it("cuts a text the same, in whatever pieces it comes", () => {
    let several = 0
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        fc.boolean(),
        (given, sizes, csv) => {
          const bytes = new TextEncoder().encode(given)
          const whole = cutsOf([bytes], csv)
          assert.deepStrictEqual(cutsOf(pieces(bytes, sizes), csv), whole)
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

  it("cuts a CSV between rows as they are read whole, whatever quotes stand in it", () => {
    let several = 0
    let stray = 0
    fc.assert(
      fc.property(quotedText, (given) => {
        const bytes = new TextEncoder().encode(given)
        const cuts = cutsOf([bytes], true)
        if (cuts === "too long") return
        const whole = recordsIn(bytes)
        assert.deepStrictEqual(
          cuts.flatMap((cut) => recordsIn(cut.bytes)),
          whole
        )
        several += cuts.length > 2 ? 1 : 0
        stray += cuts.length > 2 && /[a1]"/.test(given) ? 1 : 0
      }),
      { numRuns: 5_000 }
    )
    assert.isAbove(several, 500)
    assert.isAbove(stray, 250)
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
