import { assert, describe, it } from "vitest"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { rowsOf, type StreamItem } from "../../../src/domain/streams/StreamEvent.ts"
import { Backlog } from "../../../src/layers/streams/Backlog.ts"

const trade: Trade = { tsNs: 1n, price: 1, size: 1, venue: null, sequence: null, side: null, conditions: null }

const item = (rows: number): StreamItem => ({
  stream: 0,
  event: rowsOf("trades", Array(rows).fill(trade), { through: 0, receivedAt: 0, snapshot: false, dropped: 0 })
})

describe("a lossless backlog", () => {
  it("has room for the rows of a gap, however many, and not for those of one gap after another that nobody takes", () => {
    const backlog = new Backlog({ _tag: "lossless", rows: 10 })
    assert.strictEqual(backlog.push(item(400_000), true), 0)
    assert.strictEqual(backlog.push(item(5), false), 0)
    assert.isNull(backlog.push(item(1), true))
    assert.strictEqual(backlog.rows, 400_005)
    assert.strictEqual(backlog.takeAll().length, 2)
    for (let gap = 0; gap < 5; gap++) assert.strictEqual(backlog.push(item(50_000), true), 0)
    assert.isNull(backlog.push(item(1), true))
  })
})
