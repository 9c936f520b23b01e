import { assert, describe, it } from "@effect/vitest"
import * as fc from "fast-check"
import { type Line, LineReader } from "../../../src/rpc/server/LineReader.ts"
import { parseLine } from "../../../src/rpc/server/parseLine.ts"

const limit = 24

/** What is read of bytes that come in these pieces. Views are copied, as the reader's next line may reuse nothing of them. */
const read = (pieces: ReadonlyArray<Uint8Array>, max = limit) => {
  const reader = new LineReader(max)
  return pieces
    .flatMap((piece) => reader.feed(piece))
    .map((line) => (line._tag === "Line" ? { ...line, bytes: [...line.bytes] } : line))
}

/** The same by splitting text, for bytes of which none is too long: a second way to say what a line is. */
const split = (bytes: Uint8Array): ReturnType<typeof read> => {
  const whole = Buffer.from(bytes).toString("latin1").split("\n").slice(0, -1)
  return whole
    .map((text, index) => ({ line: index + 1, text: text.endsWith("\r") ? text.slice(0, -1) : text }))
    .filter(({ text }) => text !== "")
    .map(({ line, text }) => ({ _tag: "Line" as const, line, bytes: [...Buffer.from(text, "latin1")] }))
}

const byte = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0x0a) },
  { weight: 1, arbitrary: fc.constant(0x0d) },
  { weight: 12, arbitrary: fc.nat(255) }
)
const bytes = fc.array(byte, { maxLength: 200 }).map((values) => Uint8Array.from(values))
const cuts = fc.array(fc.nat(200), { maxLength: 12 })

const cut = (whole: Uint8Array, at: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const places = [0, ...at.map((place) => Math.min(place, whole.length)).toSorted((a, b) => a - b), whole.length]
  return places.slice(1).map((end, index) => whole.slice(places[index], end))
}

describe("LineReader", () => {
  it("where the bytes are cut makes no difference, whatever they are", () => {
    fc.assert(
      fc.property(bytes, cuts, (whole, at) => assert.deepStrictEqual(read(cut(whole, at)), read([whole]))),
      {
        numRuns: 2_000
      }
    )
  })

  it("reads what splitting by newlines gives", () => {
    fc.assert(
      fc.property(bytes, cuts, (whole, at) => assert.deepStrictEqual(read(cut(whole, at), 1_000), split(whole))),
      {
        numRuns: 1_000
      }
    )
  })

  it("a line of the limit is a line, with and without a carriage return; one byte more is too long, and the end", () => {
    const text = "x".repeat(limit)
    const lines = (input: string) => read([Buffer.from(input)]).map(({ _tag, line }) => [_tag, line])
    assert.deepStrictEqual(lines(`${text}\n${text}\r\n`), [
      ["Line", 1],
      ["Line", 2]
    ])
    assert.deepStrictEqual(lines(`a\n${text}x\nb\n`), [
      ["Line", 1],
      ["TooLong", 2]
    ])
    assert.deepStrictEqual(lines(`${text}\rx`), [["TooLong", 1]])
  })

  it("tells a line that is too long before its end has come, and keeps nothing then", () => {
    const reader = new LineReader(limit)
    const seen: Array<Line> = []
    for (let sent = 0; sent <= limit; sent++) seen.push(...reader.feed(Uint8Array.of(0x78)))
    assert.deepStrictEqual(seen, [{ _tag: "TooLong", line: 1 }])
    assert.deepStrictEqual(reader.feed(Buffer.from("\na\n")), [])
  })

  it("what a line says does not depend on how it came, either", () => {
    const line = fc.oneof(fc.json(), fc.string(), fc.constant('{"_tag":"Ping"}'), fc.string({ unit: "binary" }))
    const text = fc.array(line, { maxLength: 6 }).map((lines) => Buffer.from(`${lines.join("\n")}\n`))
    const said = (pieces: ReadonlyArray<Uint8Array>) => {
      const reader = new LineReader()
      return pieces.flatMap((piece) => reader.feed(piece).map(parseLine))
    }
    fc.assert(fc.property(text, cuts, (whole, at) => assert.deepStrictEqual(said(cut(whole, at)), said([whole]))))
  })
})
