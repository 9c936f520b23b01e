import { assert, describe, it } from "@effect/vitest"
import { jobOf } from "../../../src/layers/streams/repairJob.ts"

const range = { start: Date.UTC(2026, 3, 10, 14), end: Date.UTC(2026, 3, 10, 14, 1) }
const streamOf = (symbol: string) => ({ vendor: "ibkr", symbol, kind: "trades" as const, timeframe: null, params: {} })

describe("the job that has a range of a stream stored", () => {
  it("is one for one stream and range, and another for another, however long their names are", () => {
    const { key } = jobOf(streamOf("SPY"), range)
    assert.strictEqual(key, "stream-repair/ibkr/trades/SPY/-/2026-04-10T14:00:00.000Z/2026-04-10T14:01:00.000Z")
    const long = "OPT:".padEnd(300, "X")
    const keys = [`${long}1`, `${long}2`, `${long}1`].map((symbol) => jobOf(streamOf(symbol), range).key)
    assert.strictEqual(keys[0], keys[2])
    assert.notStrictEqual(keys[0], keys[1])
    for (const one of keys) assert.isAtMost(one.length, 255)
  })
})
