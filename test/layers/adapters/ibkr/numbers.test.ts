/** What IB writes where it has no number, and rows that are none: never a row of the tape, and never left out in silence. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { StreamRow } from "../../../../src/domain/streams/StreamRow.ts"
import { answerBytes } from "../../../../src/layers/adapters/ibkr/answerBytes.ts"
import { contractNamed } from "../../../../src/layers/adapters/ibkr/contract.ts"
import { decodeTicks } from "../../../../src/layers/adapters/ibkr/decodeTicks.ts"
import { frameOf } from "../../../../src/layers/adapters/ibkr/frames.ts"
import { lineOf } from "../../../../src/layers/adapters/ibkr/instrumentLines.ts"
import { numberIn, sizeIn } from "../../../../src/layers/adapters/ibkr/numbers.ts"
import { TickerState } from "../../../../src/layers/adapters/ibkr/TickerState.ts"
import { ticksParams, ticksRequest } from "../../../../src/layers/adapters/ibkr/ticksRequest.ts"

describe("numbers of a gateway", () => {
  it("are none where IB says so in one of its ways", () => {
    for (const text of ["", undefined, "1.7976931348623157E308", "-1.7976931348623157E308", "NaN", "abc"]) {
      assert.isNull(numberIn(text), String(text))
    }
    const decimals = ["2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308"]
    for (const text of [...decimals, "170141183460469231731687303715884105727"]) assert.isNull(sizeIn(text), text)
    assert.strictEqual(numberIn("-37.63"), -37.63)
    assert.strictEqual(numberIn("2147483647"), 2_147_483_647)
    assert.strictEqual(sizeIn("0.00001234"), 0.000_012_34)
  })

  it("of a quote: a price below zero is one, minus one is nobody, a size below zero or too large is none", () => {
    const state = new TickerState()
    state.price(1, -37.63)
    state.price(2, -1)
    state.size(0, 2 ** 63)
    state.size(3, -1)
    state.size(8, 2_147_483_647)
    const { ask, askSize, bid, bidSize, volume } = state.take(0) ?? {}
    assert.deepStrictEqual(
      { ask, askSize, bid, bidSize, volume },
      {
        ask: null,
        askSize: null,
        bid: -37.63,
        bidSize: null,
        volume: null
      }
    )
  })
})

const line = (kind: "trades" | "bars") => {
  const said: Array<string> = []
  const rows: Array<StreamRow> = []
  const session = { vendorNow: () => 1_000, ourNow: () => 1_000 }
  const name = contractNamed("SPY", null)
  if (name._tag === "Failure") throw new Error(name.failure)
  const spec = lineOf({ session, rest: 0 }, { params: {} }, kind, name.success, {
    row: (row) => {
      said.push("row")
      rows.push(row)
    },
    rows: () => {},
    event: (event) => said.push(event._tag === "Gap" ? `Gap: ${event.reason}` : event._tag)
  })
  spec.began()
  return { spec, said, rows }
}

describe("a page of trades of the past", () => {
  const from = 1_775_829_600
  const range = { start: from * 1_000, end: (from + 60) * 1_000 }
  const request = ticksRequest("SPY", "TRADES", { symbol: "SPY" }, range)
  const page = (count: number, trade: (at: number) => ReadonlyArray<string | number>) =>
    answerBytes(193, [frameOf([98, 1, count, ...Array.from({ length: count }, (_, at) => trade(at)).flat(), 1])])
  const decode = (bytes: Uint8Array) => {
    const params = ticksParams(request)
    if (params === null) throw new Error("it is one")
    return decodeTicks(bytes, params, range)
  }

  it.effect("has no trade without a price: an empty field is none, and not zero", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(decode(page(1, () => [from, 0, "", 10, "NYSE", ""])))
      assert.match(message, /no trade/)
    })
  )

  it.effect("that is full of what was before it is refused: asked for again it would come again", () =>
    Effect.gen(function* () {
      const { next } = yield* decode(page(1_000, () => [from + 2, 0, 500, 10, "NYSE", ""]))
      assert.isNotNull(next)
      const early = page(1_000, () => [from - 5, 0, 500, 10, "NYSE", ""])
      assert.match((yield* Effect.flip(decode(early))).message, /before 2026-04-10T14:00:00/)
    })
  )
})

describe("rows of a gateway that are none", () => {
  it.effect("a trade: a gap, over with the next one", () =>
    Effect.sync(() => {
      const { rows, said, spec } = line("trades")
      spec.trade?.(1_775_829_600, 500, 10, "NYSE", "")
      spec.trade?.(1_775_829_601, undefined, 10, "NYSE", "")
      spec.trade?.(1_775_829_602, 501, 2 ** 63, "NYSE", "")
      assert.deepStrictEqual(said, ["Started", "row", "Gap: a trade that came cannot be read", "Resumed", "row"])
      assert.deepStrictEqual(
        rows.map((row) => ("size" in row ? row.size : "")),
        [10, null]
      )
    })
  )

  it.effect("a bar: a gap, over with the next one", () =>
    Effect.sync(() => {
      const { rows, said, spec } = line("bars")
      spec.bar?.(1_775_829_600, -2, -1, -3, -2, 100, -2, 4)
      spec.bar?.(1_775_829_605, 2, 1, 3, 2, 100, 2, 4)
      spec.bar?.(1_775_829_610, 5, 6, 4, 5, -1, -1, -1)
      assert.deepStrictEqual(said.slice(0, 2), ["Started", "row"])
      assert.match(said[2] ?? "", /^Gap: a bar that came cannot be read: high 1 is below low 3/)
      assert.deepStrictEqual(said.slice(3), ["Resumed", "row"])
      assert.deepInclude(rows[1], { volume: null, vwap: null, count: null, close: 5 })
    })
  )
})
