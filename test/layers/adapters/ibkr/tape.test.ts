/** Streams of the simulated gateway through MarketStreams: what goes wrong is told, and the tape is the market's truth. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import { mergedBar } from "../../../../src/domain/mergedBar.ts"
import type { Trade } from "../../../../src/domain/records/Trade.ts"
import { isRows } from "../../../../src/domain/streams/StreamEvent.ts"
import { millisOf, shapeOf } from "../../../../src/domain/streams/StreamRow.ts"
import * as Timeframe from "../../../../src/domain/Timeframe.ts"
import type { Fault } from "../../../../src/layers/testing/gateway/Faults.ts"
import type * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { eventsOf, promised, type Recorder, record, rowsOf, tags } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"

const second = 1_000

const trades = (symbol: string) => ({ symbol, kind: "trades" as const })

/** How many trades there were in all of what was promised and not told as missing; the tape had those, each once, in order. */
const isTruth = (gateway: GatewaySimulator.GatewaySimulator, recorder: Recorder, symbol: string): number => {
  const { missing, range } = promised(recorder)
  if (range === null) return 0
  const { compare, identity } = shapeOf("trades")
  const counts = (millis: number) =>
    range.start <= millis && millis < range.end && !missing.some(({ end, start }) => start <= millis && millis < end)
  const told = rowsOf(recorder)
  assert.deepStrictEqual(told, told.toSorted(compare))
  const truth = gateway
    .truth(symbol, range.start, range.end)
    .trades.map(
      ({ at, conditions, exchange, price, size }): Trade => ({
        tsNs: BigInt(Math.floor(at / second)) * 1_000_000_000n,
        price,
        size,
        venue: exchange === "" ? null : exchange,
        sequence: null,
        side: null,
        conditions: conditions === "" ? null : conditions
      })
    )
    .filter((trade) => counts(millisOf(trade)))
  const had = told.filter((row) => counts(millisOf(row))).map(identity)
  assert.deepStrictEqual(had.toSorted(), truth.map(identity).toSorted())
  return truth.length
}

describe("the tape of the simulated gateway", () => {
  for (const [what, faults] of [
    [
      "a connection that is dropped",
      [
        { _tag: "Refuse", forMillis: 8 * second },
        { _tag: "Drop", how: "rst" }
      ]
    ],
    ["a frame that is cut off", [{ _tag: "CutFrame", bytes: 11, how: "fin" }]],
    ["a length below zero", [{ _tag: "Malformed", what: "negativeLength" }]],
    ["a huge length", [{ _tag: "Malformed", what: "hugeLength" }]],
    ["a half-open connection", [{ _tag: "Mute", forMillis: 40 * second }]],
    ["1101", [{ _tag: "UpstreamLost", forMillis: 8 * second, restored: 1101, times: 3 }]],
    ["1102", [{ _tag: "UpstreamLost", forMillis: 8 * second, restored: 1102 }]],
    [
      "1102 that has forgotten the stream",
      [{ _tag: "UpstreamLost", forMillis: 8 * second, restored: 1102, silent: 1 }]
    ],
    [
      "a farm that comes back without the stream",
      [{ _tag: "FarmBroken", farm: "usfarm", forMillis: 3 * second, silent: 1 }]
    ]
  ] as const satisfies ReadonlyArray<readonly [string, ReadonlyArray<Fault>]>) {
    it.effect(`${what}: told as a gap, and mended without a trade too few or twice`, () =>
      rigged(({ gateway, pass }) =>
        Effect.gen(function* () {
          const tape = yield* record([trades("SPY")], undefined, "ibkr")
          yield* pass(10 * second)
          for (const fault of faults) yield* gateway.inject(fault)
          yield* pass(100 * second)
          assert.includeMembers([...tags(tape)], ["Started", "Gap", "Resumed", "Repaired"])
          assert.notInclude(tags(tape), "Unrepairable")
          assert.isAbove(isTruth(gateway, tape, "SPY"), 60)
          const { range } = promised(tape)
          assert.isAtLeast(range?.end ?? 0, gateway.now() - 10 * second)
        })
      )
    )
  }

  it.effect("1100 once more, when rows had come since the first: what stays away then is a gap of its own", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const tape = yield* record([trades("SPY")], undefined, "ibkr")
        yield* pass(10 * second)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 60 * second, restored: 1102 })
        yield* pass(5 * second)
        // It sends again, and says nothing of that.
        yield* gateway.inject({ _tag: "Clear" })
        yield* pass(10 * second)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 15 * second, restored: 1102 })
        yield* pass(60 * second)
        assert.strictEqual(tags(tape).filter((tag) => tag === "Gap").length, 2)
        assert.isAbove(isTruth(gateway, tape, "SPY"), 60)
      })
    )
  )

  it.effect(
    "another session of the login has the live data: told, and had again when it is over, on the same lines",
    () =>
      rigged(
        ({ gateway, pass }) =>
          Effect.gen(function* () {
            const streams = [
              trades("SPY"),
              { symbol: "SPY", kind: "quotes" as const },
              { symbol: "SPY", kind: "bars" as const },
              { symbol: "SPY", kind: "depth" as const }
            ]
            const seen = yield* record(streams, undefined, "ibkr")
            yield* pass(10 * second)
            const { requests: before = 0 } = gateway.clients()[0] ?? {}
            yield* gateway.inject({ _tag: "CompetingSession", active: true })
            yield* pass(120 * second)
            for (const [stream] of streams.entries()) {
              const gaps = eventsOf(seen, stream).filter((event) => event._tag === "Gap")
              assert.match(gaps[0]?.reason ?? "", /competing live session/)
            }
            // Asked for again and again, and no more than a few times each.
            const { requests: meanwhile = 0 } = gateway.clients()[0] ?? {}
            assert.isBelow(meanwhile - before, 80)
            yield* gateway.inject({ _tag: "CompetingSession", active: false })
            const rows = streams.map((_, stream) => rowsOf(seen, stream).length)
            yield* pass(90 * second)
            for (const [stream, had] of rows.entries()) assert.isAbove(rowsOf(seen, stream).length, had)
            assert.deepStrictEqual((gateway.clients()[0]?.open ?? []).map(({ kind }) => kind).toSorted(), [
              "bars",
              "depth",
              "quote",
              "tickByTick"
            ])
            assert.isAbove(isTruth(gateway, seen, "SPY"), 60)
          }),
        { quotas: { lines: 2, depth: 1, tickByTick: 1 } }
      )
  )

  it.effect(
    "a trade cut off after every number of its bytes: both consumers go on, without a trade too few or twice",
    () =>
      rigged(({ gateway, pass }) =>
        Effect.gen(function* () {
          const tape = yield* record([trades("SPY")], undefined, "ibkr")
          const newest = yield* record([trades("SPY")], { policy: { _tag: "latest" } }, "ibkr")
          yield* pass(10 * second)
          // A trade has four bytes of length and some fifty more.
          const most = 64
          for (let bytes = 0; bytes <= most; bytes++) {
            yield* gateway.inject({ _tag: "CutFrame", bytes, how: bytes % 2 === 0 ? "fin" : "rst" })
            const { connection = 0 } = gateway.clients()[0] ?? {}
            while (!gateway.clients().some((one) => one.connection > connection && one.open.length > 0)) {
              yield* pass(second)
            }
            // One that has lasted half a minute is followed by the next in about a second.
            yield* pass(32 * second)
          }
          const gaps = eventsOf(tape).filter(({ _tag }) => _tag === "Gap").length
          assert.strictEqual(gaps, most + 1)
          assert.notInclude(tags(tape), "Unrepairable")
          assert.isAbove(isTruth(gateway, tape, "SPY"), 1_000)
          for (const { ended, failure } of [tape, newest])
            assert.deepStrictEqual({ ended, failure }, { ended: false, failure: null })
          const last = rowsOf(tape).at(-1)
          assert.isDefined(last)
          const held = eventsOf(newest).flatMap((event) => (isRows(event) ? [...event.rows] : []))
          assert.deepStrictEqual(held.at(-1), last)
        })
      )
  )

  it.effect(
    "bars of a minute, which IB does not send: those of five seconds together, over a broken connection, too",
    () =>
      rigged(({ gateway, pass }) =>
        Effect.gen(function* () {
          const streams = [
            { symbol: "SPY", kind: "bars" as const },
            { symbol: "SPY", kind: "bars" as const, timeframe: "1m" as const }
          ]
          const tape = yield* record(streams, undefined, "ibkr")
          yield* pass(95 * second)
          yield* gateway.inject({ _tag: "Refuse", forMillis: 8 * second })
          yield* gateway.inject({ _tag: "Drop", how: "rst" })
          yield* pass(260 * second)
          assert.deepStrictEqual(
            gateway.clients().map(({ open }) => open.length),
            [1]
          )
          assert.includeMembers([...tags(tape, 1)], ["Gap", "Resumed", "Repaired"])
          const { range } = promised(tape, 1)
          const fives = rowsOf(tape) as ReadonlyArray<Bar>
          const minutes = rowsOf(tape, 1) as ReadonlyArray<Bar>
          assert.isAtLeast(minutes.length, 4)
          const expected = minutes.flatMap(({ ts }) => {
            const [first, ...rest] = fives.filter((bar) => Timeframe.floor("1m", bar.ts) === ts)
            return first === undefined ? [] : [mergedBar(ts, [first, ...rest])]
          })
          assert.deepStrictEqual(minutes, expected)
          assert.deepStrictEqual(
            minutes.map(({ ts }) => ts),
            minutes.map((_, index) => (range?.start ?? 0) + index * 60 * second)
          )
        })
      )
  )

  it.effect("history that is paced: what is missing is told as Unrepairable, and the rest is true", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const tape = yield* record([trades("SPY")], undefined, "ibkr")
        yield* pass(10 * second)
        yield* gateway.inject({ _tag: "HistoryPacing", requests: 20 })
        yield* gateway.inject({ _tag: "Drop", how: "fin" })
        yield* pass(300 * second)
        assert.includeMembers([...tags(tape)], ["Gap", "Resumed", "Unrepairable"])
        assert.isAbove(isTruth(gateway, tape, "SPY"), 60)
      })
    )
  )

  it.effect("streams that were wanted long before there was a gateway begin with its connection, all of them", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        yield* gateway.inject({ _tag: "Refuse", forMillis: 240 * second })
        const tapes = yield* Effect.forEach(["SPY", "AAPL", "MSFT", "IBM", "NVDA"], (symbol) =>
          record([{ symbol, kind: "quotes" as const }], undefined, "ibkr")
        )
        const isReady = () => gateway.clients().some(({ phase }) => phase === "ready")
        yield* pass(230 * second, second)
        assert.isFalse(isReady())
        for (let seconds = 0; seconds < 60 && !isReady(); seconds++) yield* pass(second)
        assert.isTrue(isReady())
        yield* pass(2 * second)
        for (const tape of tapes) assert.includeMembers([...tags(tape)], ["Gap", "Started", "Quotes"])
      })
    )
  )

  it.effect("three drops before it is ready: one request for each stream on the connection that is", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const tape = yield* record([trades("SPY"), { symbol: "AAPL", kind: "quotes" }], undefined, "ibkr")
        yield* pass(5 * second)
        yield* gateway.inject({ _tag: "DropBeforeReady", connections: 3 })
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
        yield* pass(30 * second)
        const [client, ...others] = gateway.clients()
        assert.strictEqual(others.length, 0)
        assert.deepStrictEqual(client?.open.map(({ kind, symbol }) => `${kind} ${symbol}`).toSorted(), [
          "quote AAPL",
          "tickByTick SPY"
        ])
        assert.isTrue(eventsOf(tape, 1).some(({ _tag }) => _tag === "Resumed"))
      })
    )
  )

  it.effect("1102 with its data: nothing is asked for again", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        yield* record([trades("SPY"), { symbol: "AAPL", kind: "quotes" }], undefined, "ibkr")
        yield* pass(5 * second)
        const requests = () => gateway.clients()[0]?.open.map(({ reqId }) => reqId)
        const before = requests()
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 4 * second, restored: 1102 })
        yield* pass(40 * second)
        assert.deepStrictEqual(requests(), before)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 4 * second, restored: 1101 })
        yield* pass(20 * second)
        assert.strictEqual(requests()?.length, 2)
        assert.isTrue(requests()?.every((id) => before?.includes(id) === false))
      })
    )
  )

  it.effect("a quote that the gateway goes on with after 1102 is as whole as before", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const quotes = yield* record([{ symbol: "AAPL", kind: "quotes" }], undefined, "ibkr")
        yield* pass(10 * second)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 2 * second, restored: 1102 })
        yield* pass(8 * second)
        assert.includeMembers([...tags(quotes)], ["Gap", "Resumed"])
        const afterwards = eventsOf(quotes).slice(eventsOf(quotes).findIndex(({ _tag }) => _tag === "Resumed"))
        const rows = afterwards.flatMap((event) => (event._tag === "Quotes" ? [...event.rows] : []))
        assert.isAbove(rows.length, 2)
        for (const row of rows) {
          const { ask, askSize, bid, bidSize, high, last, low, open, previousClose, volume } = row
          assert.notInclude([ask, askSize, bid, bidSize, high, last, low, open, previousClose, volume], null)
        }
      })
    )
  )

  it.effect("asked for again while IB is away once more: what happens until it is back is told as a gap, too", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const tape = yield* record([trades("SPY")], undefined, "ibkr")
        yield* pass(20 * second)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 2 * second, restored: 1102, silent: 1 })
        // Half a second before what is silent is asked for again.
        yield* pass(11_500)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 20 * second, restored: 1102 })
        yield* pass(60 * second)
        assert.notInclude(tags(tape), "Unrepairable")
        assert.isAbove(isTruth(gateway, tape, "SPY"), 40)
        assert.isAtLeast(promised(tape).range?.end ?? 0, gateway.now() - 10 * second)
      })
    )
  )

  it.effect("an account whose lines are all in use: one that is asked for again is given up first", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        // Three is what the gateway gives of these.
        const tape = yield* record([trades("SPY"), trades("AAPL"), trades("MSFT")], undefined, "ibkr")
        yield* pass(20 * second)
        yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 4 * second, restored: 1102, silent: 1 })
        yield* pass(60 * second)
        assert.strictEqual(gateway.clients()[0]?.open.filter(({ silent }) => !silent).length, 3)
        for (const stream of [0, 1, 2]) {
          const reasons = eventsOf(tape, stream).flatMap((event) => (event._tag === "Gap" ? [event.reason] : []))
          assert.isFalse(
            reasons.some((reason) => reason.startsWith("throttled")),
            reasons.join("; ")
          )
          assert.strictEqual(tags(tape, stream).at(-1), "Trades")
        }
      })
    )
  )

  it.effect("a hundred quotes: rehydrated in under four seconds, never more than fifty messages a second", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const streams = Array.from({ length: 100 }, (_, index) => ({
          symbol: `SIM${String(index).padStart(4, "0")}`,
          kind: "quotes" as const
        }))
        yield* record(streams, undefined, "ibkr")
        yield* pass(10 * second)
        assert.strictEqual(gateway.clients()[0]?.open.length, 100)
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
        const open = () => gateway.clients()[0]?.open.length ?? 0
        const requests: Array<number> = []
        while (open() < 100 && requests.length < 200) {
          yield* pass(100)
          requests.push(gateway.clients()[0]?.requests ?? 0)
        }
        const inSecond = requests.map((count, index) => count - (requests[index - 10] ?? 0))
        assert.isAtMost(Math.max(...inSecond), 50)
        const took = requests.length * 100
        // About a second is the pause before the next connection.
        assert.isAtMost(took, 1_300 + 4_000)
      })
    )
  )
})
