import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"
import { lineInStream } from "../../../../src/layers/adapters/records/lineInStream.ts"
import { resolveDecoding } from "../../../../src/layers/adapters/records/RowDecoding.ts"
import { rowAt } from "../../../../src/layers/adapters/records/rowAt.ts"

const decoding = resolveDecoding({ format: "ndjson", timestamp: "epoch-millis" }, "1m")

describe("a line of a text that is not held", () => {
  it("is the one that is found in the whole text, however that is cut", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("", "a", "{}", "é", "\r", "long ".repeat(20)), { maxLength: 12 }),
        fc.constantFrom("", "\n", "\r\n"),
        fc.array(fc.nat(200), { maxLength: 8 }),
        fc.integer({ min: 0, max: 14 }),
        async (lines, end, cuts, wanted) => {
          const bytes = new TextEncoder().encode(lines.join("\n") + end)
          const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
          const chunks = places.slice(1).map((to, index) => bytes.subarray(places[index], to))
          const whole = Result.getOrThrow(rowAt(bytes, decoding, wanted))
          const found = await Effect.runPromise(lineInStream(Stream.fromIterable(chunks), wanted))
          assert.strictEqual(found, whole?.text ?? null)
        }
      ),
      { numRuns: 500 }
    ))

  it.effect("all of the text is read, and a line without an end is no row", () =>
    Effect.gen(function* () {
      let read = 0
      const chunk = new Uint8Array(1_048_576).fill(97)
      const text = Stream.fromIterable(
        (function* () {
          yield new TextEncoder().encode("one\ntwo\n")
          for (; read < 30; read++) yield chunk
        })()
      )
      assert.strictEqual(yield* lineInStream(text, 2), "two")
      assert.strictEqual(read, 30)
      read = 0
      const again = Stream.fromIterable(Array.from({ length: 30 }, () => chunk))
      assert.include((yield* Effect.flip(lineInStream(again, 1))).message, "has no end")
    })
  )
})
