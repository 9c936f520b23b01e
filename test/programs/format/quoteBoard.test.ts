import { assert, describe, it } from "@effect/vitest"
import { rowsOf, type StreamEvent } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../src/domain/streams/StreamKey.ts"
import { ladder } from "../../../src/programs/streams/Ladder.ts"
import { quoteBoard } from "../../../src/programs/streams/QuoteBoard.ts"
import { tradeLine } from "../../../src/programs/streams/tradeLine.ts"
import { styleOf } from "../../../src/programs/terminal/Style.ts"

const plain = styleOf({ colours: false })
const key = (symbol: string): StreamKey => ({ vendor: "v", symbol, kind: "quotes", timeframe: null, params: {} })
const at = Date.UTC(2026, 5, 19, 13, 30)
const quote = (bid: number | null, ask: number | null, millis = at): StreamEvent =>
  rowsOf(
    "quotes",
    [
      {
        tsNs: BigInt(millis) * 1_000_000n,
        bid,
        bidSize: bid === null ? null : 1_200,
        ask,
        askSize: ask === null ? null : 3,
        venue: null,
        sequence: null,
        conditions: null,
        last: 99.5,
        lastSize: 100,
        volume: 1_234_567,
        open: null,
        high: null,
        low: null,
        previousClose: null
      }
    ],
    { through: null, receivedAt: millis, snapshot: false, dropped: 0 }
  )

describe("the live table", () => {
  it("shows the newest of each symbol, and what has become of its stream below", () => {
    const board = quoteBoard([key("SPY"), key("ES\u001b[31m")])
    board.take({ stream: 0, event: quote(99.25, 99.5) })
    board.take({ stream: 0, event: quote(99.5, 100, at + 250) })
    assert.deepStrictEqual(board.lines(plain, 120), [
      "symbol      bid size    bid     ask  ask size   last  size     volume  at (UTC)",
      "SPY            1,200  99.50  100.00         3  99.50   100  1,234,567  13:30:00.250",
      "ES\\x1b[31m         -   -       -            -   -        -          -  -             waiting"
    ])
    board.take({ stream: 0, event: { _tag: "Gap", from: at + 250, reason: "the connection\nwas lost" } })
    assert.deepStrictEqual(board.lines(plain, 120).slice(1, 2), [
      "SPY            1,200  99.50  100.00         3  99.50   100  1,234,567  13:30:00.250  stale"
    ])
    assert.strictEqual(
      board.lines(plain, 120).at(-1),
      "SPY: broken since 2026-06-19T13:30:00Z (the connection was lost)"
    )
    board.take({ stream: 0, event: { _tag: "Resumed", at } })
    board.take({
      stream: 0,
      event: { _tag: "Unrepairable", from: at, to: at + 1_000, why: "it is not kept", job: null }
    })
    board.take({ stream: 0, event: quote(null, 101) })
    board.take({ stream: 1, event: { _tag: "Closed", retryable: false, cause: "no right to it" } })
    const lines = board.lines(plain, 70)
    assert.notInclude(lines[1], "stale")
    assert.deepStrictEqual(lines.slice(-3), [
      "SPY: sends again",
      "SPY: 2026-06-19T13:30:00Z to 2026-06-19T13:30:01Z is missing (it is n…",
      "ES\\x1b[31m: ended (no right to it)"
    ])
    for (const line of lines) assert.isAtMost(line.length, 70)
  })

  it("prices have the decimals of their own instrument, with their points under each other", () => {
    const board = quoteBoard([key("SPY"), key("EUR.USD")])
    board.take({ stream: 0, event: quote(99.25, 99.5) })
    board.take({ stream: 1, event: quote(1.0956, 1.09565) })
    const columns = board.lines(plain, 120).map((line) => line.slice(18, 39))
    assert.deepStrictEqual(columns, ["      bid       ask  ", " 99.25     99.50     ", "  1.09560   1.09565  "])
  })

  it("leaves columns out where there is no room, and never the state of a stream", () => {
    const board = quoteBoard([key("SPY"), key("EUR.USD")])
    board.take({ stream: 0, event: quote(99.25, 99.5) })
    board.take({ stream: 1, event: quote(1.0956, 1.09565) })
    const headers = (width: number) => board.lines(plain, width)[0]?.split(/ {2,}/)
    assert.deepStrictEqual(headers(100), [
      "symbol",
      "bid size",
      "bid",
      "ask",
      "ask size",
      "last",
      "size",
      "volume",
      "at (UTC)"
    ])
    assert.deepStrictEqual(headers(90), ["symbol", "bid size", "bid", "ask", "ask size", "last", "size", "at (UTC)"])
    assert.deepStrictEqual(headers(80), ["symbol", "bid size", "bid", "ask", "ask size", "last", "at (UTC)"])
    assert.deepStrictEqual(headers(72), ["symbol", "bid size", "bid", "ask", "ask size", "at (UTC)"])
    assert.deepStrictEqual(headers(40), ["symbol", "bid", "ask"])
    for (const width of [100, 90, 80, 72, 40]) {
      const before = board.lines(plain, width)[0]
      board.take({ stream: 1, event: { _tag: "Gap", from: at, reason: "lost" } })
      const lines = board.lines(plain, width)
      assert.strictEqual(lines[0], before)
      assert.match(lines[2] ?? "", / {2}stale$/)
      board.take({ stream: 1, event: quote(1.0956, 1.09565) })
    }
  })

  it("a book is a ladder, asks above bids", () => {
    const shown = ladder([key("SPY")])
    assert.deepStrictEqual(shown.lines(plain, 80), ["SPY", "waiting"])
    const book = {
      tsNs: BigInt(at) * 1_000_000n,
      bids: [
        [99.5, 200],
        [99.25, 1_300]
      ] as const,
      asks: [[100, 7]] as const
    }
    const about = { through: null, receivedAt: at, snapshot: false, dropped: 0 }
    shown.take({ stream: 0, event: rowsOf("depth", [book], about) })
    assert.deepStrictEqual(shown.lines(plain, 80), [
      "SPY  13:30:00.000Z",
      "bid size   price  ask size",
      "          100.00         7",
      "     200   99.50",
      "   1,300   99.25"
    ])
    shown.take({ stream: 0, event: { _tag: "Gap", from: at, reason: "lost" } })
    assert.deepStrictEqual(shown.lines(plain, 22), [
      "SPY  13:30:00.000Z  s…",
      "bid size   price  ask…",
      "          100.00     …",
      "     200   99.50",
      "   1,300   99.25",
      "SPY: broken since 202…"
    ])
  })

  it("of a book that is higher than the terminal the prices about the middle are shown, and the words always", () => {
    const shown = ladder([key("SPY")])
    const tsNs = BigInt(at) * 1_000_000n
    const side = (from: number, step: number, count: number) =>
      Array.from({ length: count }, (_, level) => [from + step * level, 100 + level] as const)
    const take = (bids: number, asks: number) =>
      shown.take({
        stream: 0,
        event: rowsOf("depth", [{ tsNs, bids: side(99, -1, bids), asks: side(101, 1, asks) }], {
          through: null,
          receivedAt: at,
          snapshot: false,
          dropped: 0
        })
      })
    const prices = (height: number) =>
      shown
        .lines(plain, 80, height)
        .slice(2)
        .map((line) => Number(/\d+(?=$| {2}\d| *\d*$)/.exec(line.slice(8, 15))?.[0]))
    take(10, 10)
    assert.deepStrictEqual(prices(6), [102, 101, 99, 98])
    assert.lengthOf(shown.lines(plain, 80, 12), 12)
    assert.lengthOf(shown.lines(plain, 80, 40), 22)
    take(10, 1)
    assert.deepStrictEqual(prices(6), [101, 99, 98, 97])
    take(1, 10)
    assert.deepStrictEqual(prices(6), [103, 102, 101, 99])
    shown.take({ stream: 0, event: { _tag: "Gap", from: at, reason: "lost" } })
    const low = shown.lines(plain, 80, 6)
    assert.lengthOf(low, 6)
    assert.match(low.at(-1) ?? "", /lost/)
  })

  it("of more symbols than the terminal has lines so many are shown, the others counted, and the words always", () => {
    const board = quoteBoard(["A", "B", "C", "D", "E"].map(key))
    for (const stream of [0, 1, 2, 3, 4]) board.take({ stream, event: quote(1, 2) })
    const firsts = (height: number) => board.lines(plain, 80, height).map((line) => line.split(" ")[0])
    assert.deepStrictEqual(firsts(6), ["symbol", "A", "B", "C", "D", "E"])
    assert.deepStrictEqual(firsts(4), ["symbol", "A", "B", "3"])
    assert.strictEqual(board.lines(plain, 80, 4).at(-1), "3 more")
    board.take({ stream: 4, event: { _tag: "Gap", from: at, reason: "lost" } })
    assert.deepStrictEqual(firsts(5), ["symbol", "A", "B", "3", "E:"])
    assert.lengthOf(board.lines(plain, 80, 2), 2)
  })

  it("a trade is a line", () => {
    const trade = { price: 450.125, size: 1_000, venue: "XNAS", sequence: 1, side: null, conditions: null }
    assert.strictEqual(
      tradeLine("SPY", { ...trade, tsNs: BigInt(at) * 1_000_000n + 123n }),
      "13:30:00.000000123  SPY          450.125  x 1,000     XNAS"
    )
    assert.strictEqual(
      tradeLine("SPY", { ...trade, tsNs: BigInt(at) * 1_000_000n, size: null, venue: null }),
      "13:30:00.000000000  SPY          450.125"
    )
  })
})
