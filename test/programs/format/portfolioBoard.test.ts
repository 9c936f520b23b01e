import { assert, describe, it } from "@effect/vitest"
import { rowsOf, type StreamEvent } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../src/domain/streams/StreamKey.ts"
import type { StreamKind } from "../../../src/domain/streams/StreamKind.ts"
import type { StreamRow } from "../../../src/domain/streams/StreamRow.ts"
import { portfolioBoard } from "../../../src/programs/streams/PortfolioBoard.ts"
import { styleOf } from "../../../src/programs/terminal/Style.ts"

const plain = styleOf({ colours: false })
const account = "DU1"
const ts = Date.UTC(2026, 5, 19, 13, 30)
const kinds = ["portfolio", "account", "pnl"] as const
const keys = kinds.map((kind): StreamKey => ({ vendor: "v", symbol: account, kind, timeframe: null, params: {} }))

const rows = (kind: StreamKind, ...all: ReadonlyArray<StreamRow>): StreamEvent =>
  rowsOf(kind, all, { through: null, receivedAt: ts, snapshot: false, dropped: 0 })
const holding = (symbol: string, position: number, marketPrice: number | null, currency = "USD") => ({
  ts,
  account,
  symbol,
  position,
  marketPrice,
  marketValue: marketPrice === null ? null : marketPrice * position,
  averageCost: 10.25,
  unrealized: -1234.5,
  realized: -0.001,
  currency
})
const figure = (tag: string, value: string, currency: string | null = "USD") => ({ ts, account, tag, value, currency })
const profit = (symbol: string | null, daily: number | null) => ({
  ts,
  account,
  symbol,
  position: null,
  daily,
  unrealized: 1_500,
  realized: 0,
  value: null
})

describe("the live table of an account", () => {
  it("shows its figures, and what it holds by symbol with what each has won today", () => {
    const board = portfolioBoard(keys)
    assert.deepStrictEqual(board.lines(plain, 120).at(-1), "waiting")
    const begin = [
      [0, rows("portfolio", holding("SPY", -1_200, 99.5), holding("AAPL\u001b[31m", 10, null, "EUR"))],
      [1, rows("account", figure("NetLiquidation", "1234567.891"), figure("TotalCashValue", "-5"))],
      [1, rows("account", figure("NetLiquidation", "1", "BASE"), figure("BuyingPower", "none"))],
      [2, rows("pnl", profit(null, -12.345), profit("SPY", 7))],
      [0, { _tag: "SnapshotComplete" }]
    ] as const
    for (const [stream, event] of begin) board.take({ stream, event })
    assert.deepStrictEqual(board.lines(plain, 120), [
      "DU1  USD  13:30:00.000Z",
      "net liquidation 1,234,567.89   cash -5.00   buying power -",
      "today -12.35   unrealized 1,500.00   realized 0.00",
      "symbol        position  price        value  average cost  today  unrealized  realized",
      "AAPL\\x1b[31m        10    -              -         10.25      -   -1,234.50      0.00  EUR",
      "SPY             -1,200   99.5  -119,400.00         10.25   7.00   -1,234.50      0.00"
    ])
    for (const line of board.lines(plain, 20)) assert.isAtMost(line.length, 20)
    // Half of a number is another number: what there is no room for is left out whole.
    assert.deepStrictEqual(board.lines(plain, 48), [
      "DU1  USD  13:30:00.000Z",
      "net liquidation 1,234,567.89   cash -5.00",
      "today -12.35   unrealized 1,500.00",
      "symbol        position        value  today",
      "AAPL\\x1b[31m        10            -      -  EUR",
      "SPY             -1,200  -119,400.00   7.00"
    ])
    assert.deepStrictEqual(board.lines(plain, 48, 5).slice(3), ["symbol        position        value  today", "2 more"])
  })

  it("what was sold is gone, and after a gap what did not come again; meanwhile it is stale and says why", () => {
    const board = portfolioBoard(keys)
    board.take({ stream: 0, event: rows("portfolio", ...["A", "B", "C"].map((symbol) => holding(symbol, 1, 2))) })
    board.take({ stream: 0, event: { _tag: "SnapshotComplete" } })
    const symbols = () =>
      board
        .lines(plain, 120)
        .slice(4)
        .flatMap((line) => /^([A-Z]) /.exec(line)?.[1] ?? [])
    board.take({ stream: 0, event: rows("portfolio", holding("B", 0, null)) })
    assert.deepStrictEqual(symbols(), ["A", "C"])
    board.take({ stream: 0, event: { _tag: "Gap", from: ts, reason: "the connection was lost" } })
    assert.match(board.lines(plain, 120)[0] ?? "", /stale$/)
    assert.match(board.lines(plain, 120).at(-1) ?? "", /the connection was lost/)
    board.take({ stream: 0, event: { _tag: "Resumed", at: ts } })
    board.take({ stream: 0, event: rows("portfolio", holding("C", 1, 2)) })
    assert.deepStrictEqual(symbols(), ["A", "C"])
    board.take({ stream: 0, event: { _tag: "SnapshotComplete" } })
    assert.deepStrictEqual(symbols(), ["C"])
    assert.notMatch(board.lines(plain, 120).join(), /stale|lost/)
  })
})
