/** More streams than the account has lines: who waits is told, comes in by itself and in order, and nobody asks the gateway for what it does not have. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Scope } from "effect"
import type { StreamQuery } from "../../../../src/domain/streams/StreamKey.ts"
import { LineQuota } from "../../../../src/layers/adapters/ibkr/LineQuota.ts"
import type { GatewaySimulator } from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { ibkrLines, ibkrSubscriptions } from "../../../../src/services/Metrics.ts"
import { eventsOf, type Recorder, record, rowsOf, tags } from "../../streams/support.ts"
import { rigged } from "./rigged.ts"

const second = 1_000
const minute = 60 * second

const open = (gateway: GatewaySimulator) =>
  gateway
    .clients()
    .flatMap(({ open }) => open.map(({ symbol }) => symbol))
    .toSorted()

const asked = (gateway: GatewaySimulator) => gateway.clients()[0]?.requests ?? 0

/** A consumer that can be sent away. */
const follow = Effect.fnUntraced(function* (query: StreamQuery) {
  const scope = yield* Scope.make()
  const recorder = yield* Scope.provide(record([query], undefined, "ibkr"), scope)
  return { recorder, leave: Scope.close(scope, Exit.void) }
})

const whyWaiting = (recorder: Recorder): ReadonlyArray<string> =>
  eventsOf(recorder).flatMap((event) => (event._tag === "Gap" ? [event.reason] : []))

describe("places of a sort", () => {
  it("are given in order of arrival, and to who was refused in front of all", () => {
    const quota = new LineQuota<string>("depth", 3)
    assert.deepStrictEqual(
      ["a", "b", "c", "d", "e"].map((line) => quota.take(line)),
      [true, true, true, false, false]
    )
    assert.isTrue(quota.take("a"))
    assert.isFalse(quota.take("d"))
    assert.deepStrictEqual(quota.release("b"), ["d"])
    quota.refuse("d")
    assert.strictEqual(quota.limit, 2)
    assert.isFalse(quota.take("f"))
    assert.deepStrictEqual(quota.release("a"), ["d"])
    assert.deepStrictEqual(quota.release("e"), [])
    assert.deepStrictEqual(quota.grow(), ["f"])
    assert.deepStrictEqual([quota.limit, quota.held, quota.waiting, quota.isShrunk], [3, 3, 0, false])
    assert.deepStrictEqual(quota.grow(), [])
    assert.strictEqual(quota.limit, 3)
  })

  it("none at all: nothing is admitted until one more may be tried", () => {
    const quota = new LineQuota<string>("market-data", 100)
    assert.isTrue(quota.take("a"))
    quota.refuse("a")
    assert.strictEqual(quota.limit, 0)
    assert.isFalse(quota.take("b"))
    assert.deepStrictEqual(quota.release("b"), [])
    assert.deepStrictEqual(quota.grow(), ["a"])
  })
})

describe("lines of the simulated gateway", () => {
  it.effect("five tapes over three lines: two wait and say so, and come in when one is given up, the first first", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const tape = (symbol: string) => follow({ symbol, kind: "trades" })
        const [spy, ...others] = yield* Effect.all([tape("SPY"), tape("AAPL"), tape("MSFT"), tape("IBM"), tape("NVDA")])
        const [, , ibm, nvda] = others
        yield* pass(5 * second)
        assert.deepStrictEqual(open(gateway), ["AAPL", "MSFT", "SPY"])
        for (const waiting of [ibm, nvda]) {
          const [why] = whyWaiting(waiting.recorder)
          assert.strictEqual(why, "all 3 lines for tick-by-tick data are in use: it comes when one of them is given up")
        }
        assert.strictEqual((yield* Metric.value(ibkrSubscriptions("trades"))).value, 5)
        assert.deepStrictEqual(
          yield* Effect.forEach(["used", "limit", "waiting"] as const, (which) =>
            Effect.map(Metric.value(ibkrLines("tick-by-tick", which)), ({ value }) => value)
          ),
          [3, 3, 2]
        )
        yield* spy.leave
        // MarketStreams keeps what nobody wants for two seconds more.
        yield* pass(3 * second)
        assert.deepStrictEqual(open(gateway), ["AAPL", "IBM", "MSFT"])
        yield* pass(10 * second)
        // What happened while it waited is had from the history.
        const told = tags(ibm.recorder)
        assert.deepStrictEqual(told.slice(0, 3), ["Gap", "Started", "Resumed"])
        assert.include(told, "Repaired")
        assert.isAbove(rowsOf(ibm.recorder).length, 3)
        assert.deepStrictEqual([...new Set(tags(nvda.recorder))], ["Gap"])
        for (const one of others) yield* one.leave
        yield* pass(5 * second)
        assert.deepStrictEqual(open(gateway), [])
        assert.strictEqual((yield* Metric.value(ibkrSubscriptions("trades"))).value, 0)
      })
    )
  )

  for (const [kind, quotas, code] of [
    ["quotes", { lines: 2 }, 101],
    ["depth", { depth: 2 }, 309],
    ["trades", { tickByTick: 2 }, 10190]
  ] as const) {
    it.effect(`${kind}: fewer than were thought (${code}) are learned, and the gateway is not asked in a loop`, () =>
      rigged(
        ({ gateway, pass }) =>
          Effect.gen(function* () {
            const [spy, aapl, msft] = yield* Effect.all([
              follow({ symbol: "SPY", kind }),
              follow({ symbol: "AAPL", kind }),
              follow({ symbol: "MSFT", kind })
            ])
            yield* pass(5 * second)
            assert.deepStrictEqual(open(gateway), ["AAPL", "SPY"])
            assert.match(whyWaiting(msft.recorder)[0] ?? "", new RegExp(`code ${code}.*the 2 in use`))
            // Another that comes is not asked for: it is known that there are two.
            const before = asked(gateway)
            const ibm = yield* follow({ symbol: "IBM", kind })
            yield* pass(second)
            assert.strictEqual(asked(gateway), before)
            // One more is tried each minute; the time of the gateway is asked for now and then, too.
            yield* pass(10 * minute, second)
            assert.isAtMost(asked(gateway) - before, 10 + 60)
            assert.deepStrictEqual(open(gateway), ["AAPL", "SPY"])
            yield* spy.leave
            yield* pass(18 * second)
            assert.deepStrictEqual(open(gateway), ["AAPL", "MSFT"])
            // Learned for the account, and not for the connection.
            yield* gateway.inject({ _tag: "Drop", how: "rst" })
            yield* pass(5 * second)
            assert.strictEqual(open(gateway).length, 2)
            yield* aapl.leave
            yield* msft.leave
            yield* pass(5 * second)
            assert.deepStrictEqual(open(gateway), ["IBM"])
            assert.include(tags(ibm.recorder), "Started")
          }),
        { quotas }
      )
    )
  }

  it.effect("trades of one instrument are asked for once in fifteen seconds, and said to be waited for", () =>
    rigged(({ gateway, pass }) =>
      Effect.gen(function* () {
        const first = yield* follow({ symbol: "SPY", kind: "trades" })
        yield* pass(5 * second)
        yield* first.leave
        yield* pass(3 * second)
        assert.deepStrictEqual(open(gateway), [])
        const { recorder } = yield* follow({ symbol: "SPY", kind: "trades" })
        yield* pass(5 * second)
        assert.deepStrictEqual(open(gateway), [])
        assert.match(whyWaiting(recorder)[0] ?? "", /again in \d+ s/)
        yield* pass(20 * second)
        assert.deepStrictEqual(open(gateway), ["SPY"])
        assert.includeMembers([...tags(recorder)], ["Started", "Repaired", "Trades"])
        assert.notInclude(tags(recorder), "Closed")
      })
    )
  )
})
