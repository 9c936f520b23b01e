import { assert, describe, it } from "@effect/vitest"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { isRows, rowsOf, type StreamItem } from "../../../src/domain/streams/StreamEvent.ts"
import { inPieces } from "../../../src/rpc/handlers/streamPieces.ts"

const trades = (from: number, count: number): ReadonlyArray<Trade> =>
  Array.from({ length: count }, (_, index) => ({
    tsNs: BigInt(from + index),
    price: 1,
    size: 1,
    venue: null,
    sequence: from + index,
    side: null,
    conditions: null
  }))
const told = (from: number, count: number): StreamItem => ({
  stream: 3,
  event: rowsOf("trades", trades(from, count), { through: 7, receivedAt: 9, snapshot: false, dropped: 2 })
})
const word: StreamItem = { stream: 3, event: { _tag: "Resumed", at: 1 } }
const rowsIn = (items: ReadonlyArray<StreamItem>) =>
  items.flatMap(({ event }) => (isRows(event) ? [...event.rows] : []))

describe("pieces of a stream", () => {
  it("what is little is one message", () => {
    assert.deepStrictEqual(inPieces([word, told(0, 10), told(10, 10), word]), [[word, told(0, 10), told(10, 10), word]])
    assert.deepStrictEqual(inPieces([]), [])
  })

  it("a long event comes in several, in order, and only the last says what is complete", () => {
    const pieces = inPieces([told(0, 5), told(5, 10_000), word, told(10_005, 3_999), told(14_004, 2)])
    assert.deepStrictEqual<ReadonlyArray<unknown>>(rowsIn(pieces.flat()), trades(0, 14_006))
    for (const piece of pieces) assert.isAtMost(rowsIn(piece).length, 4_000)
    const long = pieces.flat().slice(1, 4)
    assert.deepStrictEqual(
      long.map(({ event }) => (isRows(event) ? [event.through, event.dropped] : [])),
      [
        [null, 2],
        [null, 0],
        [7, 0]
      ]
    )
    assert.deepStrictEqual(pieces.flat()[4], word)
  })
})
