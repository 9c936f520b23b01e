import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fc from "fast-check"
import { decodeRows, type RowContext } from "../../../../src/layers/adapters/records/decodeRows.ts"
import { decodeStream } from "../../../../src/layers/adapters/records/decodeStream.ts"
import { resolveDecoding } from "../../../../src/layers/adapters/records/RowDecoding.ts"

const context = (format: "csv" | "ndjson" | "json"): RowContext => ({
  decoding: resolveDecoding({ format, timestamp: "epoch-millis", badRows: "skip" }, "1m"),
  range: { start: 0, end: 1e15 },
  midnight: null,
  period: () => null,
  label: (position) => `line ${position}`
})

const csv = (rows: number) =>
  [
    "ts,open,high,low,close,note",
    ...Array.from(
      { length: rows },
      (_, i) => `${i * 60_000},1,2,1,${i % 7 === 3 ? "bad" : 1.5},"a ""quoted""\nnote, ${i}"`
    )
  ].join("\r\n")
const ndjson = (rows: number) =>
  Array.from(
    { length: rows },
    (_, i) => `{"ts":${i * 60_000},"open":1,"high":2,"low":1,"close":1.5,"x":"${"é".repeat(i % 90)}"}`
  ).join("\n")

const cutAt = (bytes: Uint8Array, cuts: ReadonlyArray<number>) => {
  const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end))
}

describe("rows of a text that is not held", () => {
  for (const [format, text] of [
    ["csv", csv(40_000)],
    ["ndjson", ndjson(30_000)]
  ] as const) {
    it.effect(`${format}: the same bars, positions and rejects, however the text is cut`, () =>
      Effect.gen(function* () {
        const bytes = new TextEncoder().encode(text)
        const whole = yield* decodeRows(bytes, context(format))
        assert.isAbove(bytes.length, 2 * 1_048_576 * 0.9)
        const cuts = fc.sample(fc.array(fc.nat(bytes.length), { maxLength: 40 }), { numRuns: 4, seed: 7 })
        for (const cut of cuts) {
          const pieces = yield* decodeStream(Stream.fromIterable(cutAt(bytes, cut)), context(format))
          assert.deepStrictEqual(pieces.positions, whole.positions)
          assert.deepStrictEqual(pieces.bars, whole.bars)
          assert.deepStrictEqual(pieces.rejected, whole.rejected)
        }
      })
    )
  }

  it.effect("a JSON document is refused", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(decodeStream(Stream.make(new Uint8Array([91, 93])), context("json")))
      assert.include(refused.message, "too large to be read as one JSON document")
    })
  )
})
