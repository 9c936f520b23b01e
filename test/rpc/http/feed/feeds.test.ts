/** Live data as JSON over WebSocket: what a client is told, in which order, and that it is never left out in silence. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import type { Holding, ProfitAndLoss } from "../../../../src/domain/streams/StreamRow.ts"
import { millisOf } from "../../../../src/domain/streams/StreamRow.ts"
import { NotEntitled } from "../../../../src/services/Adapter.ts"
import { settled } from "../../../layers/stitching/support.ts"
import { began, pass } from "../../../layers/streams/support.ts"
import { listen, modelServer, pushEach, pushing, pushServer, ticker } from "./support.ts"

const key = (kind: "quotes" | "depth") => ({ vendor: "model", symbol: "ALPHA", kind, timeframe: null, params: {} })

describe("a feed of quotes", () => {
  it.effect("greets, says how the stream stands, and sends each quote as the market has it", () =>
    Effect.gen(function* () {
      const { model, port } = yield* modelServer({ rate: 5 })
      const client = yield* listen(port, "/ws/quotes/alpha")
      yield* pass(10_000, 50)
      const truth = model.stream?.truth(key("quotes"), { start: began, end: began + 10_000 }) ?? []
      const last = truth.at(-1)
      yield* client.until(
        ({ bid, type }) => type === "quote" && last !== undefined && "bid" in last && bid === last.bid
      )
      assert.deepStrictEqual(client.types().slice(0, 4), ["subscribed", "started", "data_type", "quote"])
      assert.deepStrictEqual(client.messages[0], {
        type: "subscribed",
        kind: "quotes",
        symbol: "ALPHA",
        vendor: "model",
        conflate: true,
        max_queue_size: 100,
        max_messages_per_second: 1_000,
        heartbeat_seconds: 30
      })
      const quotes = client.of("quote")
      const [first] = truth
      assert.isAbove(quotes.length, 20)
      assert.isTrue(first !== undefined && "ask" in first)
      for (const { data_type, delayed, simulated, symbol, vendor } of quotes) {
        assert.deepStrictEqual(
          { data_type, delayed, simulated, symbol, vendor },
          { data_type: "simulated", delayed: false, simulated: true, symbol: "ALPHA", vendor: "model" }
        )
      }
      const known = new Set(truth.map((row) => ("bid" in row ? `${row.bid}/${row.ask}/${row.last}/${row.volume}` : "")))
      for (const { ask, bid, last, volume } of quotes) assert.isTrue(known.has(`${bid}/${ask}/${last}/${volume}`))
      const stamps = quotes.map(({ ts }) => String(ts))
      assert.deepStrictEqual(stamps, stamps.toSorted(), "in the order in which they were")
      assert.strictEqual(
        Date.parse(stamps.at(-1)?.replace(/\d{6}Z$/, "Z") ?? ""),
        last === undefined ? 0 : millisOf(last)
      )
      assert.isTrue(quotes.every((quote) => !("dropped" in quote)))
    })
  )

  it.effect("has one upstream for all, gives who joins late a snapshot first, and closes it behind the last", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const first = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* vendor.sink("quotes", "SPY")
      sink.event({ _tag: "Started", at: began })
      sink.event({ _tag: "DataType", dataType: "delayed" })
      yield* pushEach(sink, [ticker(1), ticker(2)])
      yield* first.until(({ bid }) => bid === 2)

      const late = yield* Effect.scoped(
        Effect.gen(function* () {
          const late = yield* listen(port, "/ws/quotes/SPY?vendor=desk")
          yield* late.until(({ type }) => type === "quote")
          yield* pushEach(sink, [ticker(3)])
          yield* late.until(({ bid }) => bid === 3)
          return late
        })
      )
      assert.deepStrictEqual(late.types(), ["subscribed", "started", "data_type", "quote", "quote"])
      assert.deepInclude(late.messages[3], {
        bid: 2,
        ask: 3,
        delayed: true,
        data_type: "delayed",
        simulated: false,
        snapshot: true
      })
      assert.notProperty(late.messages[4], "snapshot")
      yield* first.until(({ bid }) => bid === 3)
      assert.isTrue(first.of("quote").every((quote) => !("snapshot" in quote)))
      assert.strictEqual(vendor.opened(), 1)

      first.socket.close()
      yield* first.closed
      while (vendor.running() > 0) yield* pass(500)
      assert.strictEqual(vendor.opened(), 1)
    })
  )

  it.effect("tells of a gap in its place, and who joins in the middle of it that there is one", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* vendor.sink("quotes", "SPY")
      sink.event({ _tag: "Started", at: began })
      yield* pushEach(sink, [ticker(1)])
      // All of it in one turn: rows must not be put together over a word.
      sink.row(ticker(2))
      sink.row(ticker(3))
      sink.event({ _tag: "Gap", from: began + 500, reason: "the line is down" })
      yield* client.until(({ type }) => type === "gap")
      const late = yield* listen(port, "/ws/quotes/SPY")
      yield* late.until(({ type }) => type === "gap")
      assert.deepStrictEqual(late.types(), ["subscribed", "started", "quote", "gap"])
      assert.deepInclude(late.messages[2], { bid: 3, snapshot: true })
      yield* pass(1_000)
      sink.event({ _tag: "Resumed", to: began + 2_000 })
      sink.row(ticker(4))
      yield* client.until(({ bid }) => bid === 4)
      assert.deepStrictEqual(client.types(), [
        "subscribed",
        "started",
        "quote",
        "quote",
        "gap",
        "resumed",
        "unrepairable",
        "quote"
      ])
      const iso = (millis: number) => new Date(millis).toISOString()
      assert.deepStrictEqual(client.of("gap")[0], {
        type: "gap",
        kind: "quotes",
        symbol: "SPY",
        vendor: "desk",
        from: iso(began + 500),
        reason: "the line is down"
      })
      assert.deepInclude(client.of("unrepairable")[0], { from: iso(began + 500), to: iso(began + 2_000), job: null })
      yield* late.until(({ bid }) => bid === 4)
      assert.deepStrictEqual(late.types().slice(4), ["resumed", "unrepairable", "quote"])
      const after = yield* listen(port, "/ws/quotes/SPY")
      yield* after.until(({ bid }) => bid === 4)
      assert.deepStrictEqual(after.types(), ["subscribed", "started", "quote"], "and it is over")
    })
  )

  it.effect("that the vendor ends says so and closes; who comes after it has another try", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/quotes/SPY")
      const sink = yield* vendor.sink("quotes", "SPY")
      sink.event({ _tag: "Started", at: began })
      yield* pushEach(sink, [ticker(1)])
      const cause = new NotEntitled({ message: "your account may not have SPY" })
      sink.event({ _tag: "Closed", retryable: false, cause })
      const { code, reason } = yield* client.closed
      assert.strictEqual(code, 4000)
      assert.include(reason, "may not have SPY")
      assert.deepInclude(client.messages.at(-1), { type: "closed", retryable: false })
      while (vendor.running() > 0) yield* pass(100)
      yield* listen(port, "/ws/quotes/SPY")
      yield* vendor.sink("quotes", "SPY")
      assert.strictEqual(vendor.opened(), 2)
    })
  )
})

describe("a feed of depth", () => {
  it.effect("sends whole books, the best price of each side first", () =>
    Effect.gen(function* () {
      const { model, port } = yield* modelServer({ rate: 5 })
      const client = yield* listen(port, "/ws/depth/ALPHA")
      yield* pass(5_000, 50)
      const truth = model.stream?.truth(key("depth"), { start: began, end: began + 5_000 }) ?? []
      const last = truth.at(-1)
      const best = last !== undefined && "bids" in last ? last : null
      const book = yield* client.until(
        ({ bids, type }) => type === "depth" && JSON.stringify(bids) === JSON.stringify(best?.bids)
      )
      assert.deepStrictEqual(book.asks, best?.asks)
      assert.deepInclude(book, { symbol: "ALPHA", vendor: "model", simulated: true, delayed: false })
      assert.match(String(book.ts), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    })
  )

  it.effect("sorts what the vendor keeps apart, however long it is", () =>
    Effect.gen(function* () {
      const vendor = pushing(["depth"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/depth/SPY")
      const sink = yield* vendor.sink("depth", "SPY")
      const levels = (count: number) =>
        Array.from({ length: count }, (_, at): [number, number] => [100 + ((at * 7) % count), at])
      // A text of each length that a frame has a form for.
      for (const count of [0, 3, 100, 20_000]) {
        sink.row({ tsNs: BigInt(count), bids: levels(count), asks: levels(count) })
        const book = yield* client.until(({ asks }) => Array.isArray(asks) && asks.length === count)
        const prices = (side: unknown) => (Array.isArray(side) ? side.map(([price]) => price) : [])
        assert.deepStrictEqual(
          prices(book.bids),
          prices(book.bids).toSorted((a, b) => b - a)
        )
        assert.deepStrictEqual(
          prices(book.asks),
          prices(book.asks).toSorted((a, b) => a - b)
        )
      }
    })
  )
})

const holding = (symbol: string, position: number, unrealized: number | null, ts = began): Holding => ({
  ts,
  account: "DU1",
  symbol,
  position,
  marketPrice: 10,
  marketValue: 10 * position,
  averageCost: 9,
  unrealized,
  realized: 0,
  currency: "USD"
})
const pnl = (unrealized: number): ProfitAndLoss => ({
  ts: began,
  account: "DU1",
  symbol: null,
  position: null,
  daily: 3,
  unrealized,
  realized: 1,
  value: null
})

describe("a feed of a portfolio", () => {
  const symbols = (message: Readonly<Record<string, unknown>>) =>
    Array.isArray(message.positions) ? message.positions.map(({ symbol }) => symbol) : null

  it.effect("of a market that does not exist says so, and is worth what its positions are", () =>
    Effect.gen(function* () {
      const { model, port } = yield* modelServer()
      const client = yield* listen(port, "/ws/portfolio/default")
      yield* pass(3_000)
      const whole = yield* client.until(({ complete, daily_pnl }) => complete === true && daily_pnl !== null)
      assert.deepInclude(whole, { account: "SIM1000001", simulated: true, data_type: "simulated" })
      const holdings = model.stream?.truth(
        { vendor: "model", symbol: "SIM1000001", kind: "portfolio", timeframe: null, params: {} },
        { start: began, end: began + 1_000 }
      )
      assert.sameMembers(symbols(whole) ?? [], [
        ...new Set((holdings ?? []).map((row) => ("symbol" in row ? row.symbol : null)))
      ])
      const positions = Array.isArray(whole.positions) ? whole.positions : []
      const sum = positions.reduce((all, { unrealized_pnl }) => all + unrealized_pnl, 0)
      assert.closeTo(Number(whole.unrealized_pnl), sum, 0.05 * positions.length)
    })
  )

  it.effect("sends the whole account, and what is gone is gone", () =>
    Effect.gen(function* () {
      const vendor = pushing(["portfolio"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/portfolio/DU1")
      const sink = yield* vendor.sink("portfolio", "DU1")
      sink.event({ _tag: "Started", at: began })
      sink.rows([holding("SPY", 5, 12.5), holding("QQQ", 3, -2)])
      const filling = yield* client.until(({ type }) => type === "portfolio")
      assert.deepInclude(filling, { account: "DU1", complete: false, unrealized_pnl: 10.5 })
      sink.event({ _tag: "SnapshotComplete" })
      const whole = yield* client.until(({ complete }) => complete === true)
      assert.deepStrictEqual(symbols(whole), ["SPY", "QQQ"])
      assert.deepStrictEqual(Array.isArray(whole.positions) ? whole.positions[0] : null, {
        symbol: "SPY",
        position: 5,
        market_price: 10,
        market_value: 50,
        average_cost: 9,
        unrealized_pnl: 12.5,
        realized_pnl: 0,
        currency: "USD",
        ts: new Date(began).toISOString()
      })
      yield* pushEach(sink, [holding("QQQ", 0, 0, began + 1), holding("IWM", 1, null, began + 2)])
      const unknown = yield* client.until((message) => symbols(message)?.includes("IWM") === true)
      assert.deepStrictEqual(symbols(unknown), ["SPY", "IWM"])
      assert.strictEqual(unknown.unrealized_pnl, null, "of one position it is not known")

      // The vendor was away, and comes back without SPY.
      sink.event({ _tag: "Gap", from: null, reason: "lost" })
      yield* settled
      sink.event({ _tag: "Resumed", to: began + 10 })
      sink.row(holding("IWM", 2, 4, began + 11))
      sink.event({ _tag: "SnapshotComplete" })
      const back = yield* client.until((message) => symbols(message)?.join() === "IWM")
      assert.deepInclude(back, { complete: true, unrealized_pnl: 4 })
    })
  )

  it.effect("has the account's own figures where the vendor streams them; an empty account is one, too", () =>
    Effect.gen(function* () {
      const vendor = pushing(["portfolio", "pnl"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/portfolio/DU1")
      ;(yield* vendor.sink("portfolio", "DU1")).event({ _tag: "SnapshotComplete" })
      const empty = yield* client.until(({ type }) => type === "portfolio")
      assert.deepInclude(empty, { complete: true, unrealized_pnl: 0, positions: [] })
      ;(yield* vendor.sink("pnl", "DU1")).row(pnl(77))
      const told = yield* client.until(({ unrealized_pnl }) => unrealized_pnl === 77)
      assert.deepInclude(told, { daily_pnl: 3, realized_pnl: 1 })
    })
  )
})

describe("a feed that fails", () => {
  it.effect("says so to all who read it, closes, and is made anew for who comes after", () =>
    Effect.gen(function* () {
      const vendor = pushing(["depth"])
      const { port } = yield* pushServer(vendor)
      const client = yield* listen(port, "/ws/depth/SPY")
      const sink = yield* vendor.sink("depth", "SPY")
      sink.event({ _tag: "Started", at: began })
      // No row of this kind, which only who writes it out finds.
      yield* pushEach(sink, [ticker(1)])
      const { code } = yield* client.closed
      assert.strictEqual(code, 1011)
      assert.deepInclude(client.messages.at(-1), { type: "error", error: "InternalError", retryable: true })
      yield* pushEach(sink, [{ tsNs: ticker(2).tsNs, bids: [[1, 2]], asks: [] }])
      const after = yield* listen(port, "/ws/depth/SPY")
      assert.deepInclude(yield* after.until(({ type }) => type === "depth"), { bids: [[1, 2]], asks: [] })
    })
  )
})

describe("the end of a server", () => {
  it.effect("is told before the connection is closed", () =>
    Effect.gen(function* () {
      const vendor = pushing(["quotes"])
      const scope = yield* Scope.make()
      const { port } = yield* Scope.provide(pushServer(vendor), scope)
      const client = yield* listen(port, "/ws/quotes/SPY")
      yield* client.until(({ type }) => type === "subscribed")
      yield* Scope.close(scope, Exit.void)
      const { code } = yield* client.closed
      assert.strictEqual(code, 1001)
      assert.deepInclude(client.messages.at(-1), { type: "error", error: "ShuttingDown", retryable: true })
    })
  )
})
