/** Single trades and quotes of the past: as they are asked for and read, and over the simulated gateway, with what goes wrong there. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, References, Result, type Scope, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { TickKind } from "../../../../src/domain/records/TickSeries.ts"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import { answerBytes } from "../../../../src/layers/adapters/ibkr/answerBytes.ts"
import { frameOf } from "../../../../src/layers/adapters/ibkr/frames.ts"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { ibkrTicks } from "../../../../src/layers/adapters/ibkr/ibkrTicks.ts"
import { quoteOf } from "../../../../src/layers/adapters/ibkr/quoteOf.ts"
import { tradeOf } from "../../../../src/layers/adapters/ibkr/tradeOf.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { Adapter, SeriesQuery, VendorRequest } from "../../../../src/services/Adapter.ts"
import { Quota } from "../../../../src/services/Quota.ts"
import { StitchingCache, type TickAnswer } from "../../../../src/services/StitchingCache.ts"
import { fresh } from "../../stitching/support.ts"
import { answerTime, scripted } from "./scriptedGateway.ts"
import { libraryLoaded, passWith, turns } from "./session.ts"

const second = 1_000
const minute = 60 * second
const start = Date.UTC(2026, 3, 9, 14)
const seconds = start / second
const rangeOf = (from: number, to: number): TimeRange => ({ start: start + from, end: start + to })

const ticks = ibkrTicks("ibkr")
const queryOf = (kind: SeriesQuery["kind"], symbol = "AAPL"): SeriesQuery => ({ symbol, kind, timeframe: null })

const pageOf = (message: 97 | 98, rows: ReadonlyArray<ReadonlyArray<string | number>>) =>
  answerBytes(193, [frameOf([message, 100_000_001, rows.length, ...rows.flat(), 1])])

const read = Effect.fnUntraced(function* (kind: TickKind, payload: Uint8Array, range: TimeRange) {
  const series = yield* ticks.series(queryOf(kind))
  const request = yield* ticks.request(series, range)
  return { page: yield* ticks.decode(series, payload, request, range), request }
})

describe("what IB is asked for and what it answers", () => {
  it.effect("a series of trades and one of bids and asks, each one identity however it is asked for", () =>
    Effect.gen(function* () {
      const trades = yield* ticks.series(queryOf("trade", " aapl@smart "))
      assert.deepStrictEqual(trades, yield* ticks.series(queryOf("trade")))
      const quotes = yield* ticks.series(queryOf("quote"))
      assert.deepStrictEqual([trades.dataset, quotes.dataset], [null, "BID_ASK"])
      assert.deepStrictEqual(
        quotes,
        yield* ticks.series({ ...queryOf("quote"), dataset: "BID_ASK", adjustment: "raw" })
      )
      const pair = yield* ticks.series(queryOf("quote", "EUR.USD"))
      assert.deepStrictEqual([pair.price, pair.currency], ["mid", "USD"])
      for (const query of [
        queryOf("trade", "EUR.USD"),
        queryOf("bar"),
        { ...queryOf("trade"), dataset: "BID_ASK" },
        { ...queryOf("trade"), session: "regular" },
        { ...queryOf("quote"), adjustment: "splits" },
        { ...queryOf("quote"), price: "mid" },
        { ...queryOf("trade"), timeframe: "1m" }
      ] as const) {
        const { reason } = yield* Effect.flip(ticks.series(query))
        assert.strictEqual(reason._tag, "Unsupported", JSON.stringify(query))
      }
      // What is recorded of the live stream is no series of its history.
      const { reason } = yield* Effect.flip(ticks.request({ ...quotes, dataset: null }, rangeOf(0, minute)))
      assert.strictEqual(reason._tag, "Unsupported")
    })
  )

  it.effect("a page of quotes counts double, and has a window of its own for the same one", () =>
    Effect.gen(function* () {
      const range = rangeOf(500, minute)
      const { request: trades } = yield* read("trade", pageOf(98, []), range)
      const { request: quotes } = yield* read("quote", pageOf(97, []), range)
      assert.deepStrictEqual([trades.weight, quotes.weight], [1, 2])
      assert.deepStrictEqual(Object.keys(trades.keys), ["history", "contract", "identical"])
      assert.deepStrictEqual(Object.keys(quotes.keys), ["history", "contract", "identicalQuotes"])
    })
  )

  it.effect("rows outside of the range are left out, the others keep their places", () =>
    Effect.gen(function* () {
      const { page } = yield* read(
        "trade",
        pageOf(98, [
          [seconds - 1, 0, "187.1", 100, "ISLAND", ""],
          [seconds, 0, "187.2", 200, "ARCA", "@ I"],
          [seconds + 61, 0, "187.3", "", "", ""]
        ]),
        rangeOf(0, minute)
      )
      assert.deepStrictEqual(page, {
        rows: [
          {
            tsNs: BigInt(start) * 1_000_000n,
            price: 187.2,
            size: 200,
            venue: "ARCA",
            sequence: null,
            side: null,
            conditions: "@ I"
          }
        ],
        positions: [1],
        proves: rangeOf(0, minute),
        next: null
      })
    })
  )

  it.effect("a side that nobody is on is null, and a price of zero or less that somebody is on is not", () =>
    Effect.gen(function* () {
      const { page } = yield* read(
        "quote",
        pageOf(97, [
          [seconds, 0, "187.1", "187.2", 3, 4],
          [seconds, 3, "-1", "187.2", 0, 4],
          [seconds, 1, "-1", "0", 5, 0],
          [seconds, 2, "0", "0.05", 7, 8],
          [seconds, 0, "", "187.2", "", ""]
        ]),
        rangeOf(0, minute)
      )
      assert.deepStrictEqual(
        page.rows.map((row) => ("bid" in row ? [row.bid, row.bidSize, row.ask, row.askSize, row.conditions] : [])),
        [
          [187.1, 3, 187.2, 4, null],
          [null, null, 187.2, 4, "bidPastLow askPastHigh"],
          [-1, 5, null, null, "bidPastLow"],
          [0, 7, 0.05, 8, "askPastHigh"],
          [null, null, 187.2, null, null]
        ]
      )
      const broken = yield* Effect.flip(
        read("quote", pageOf(97, [["soon", 0, "187.1", "187.2", 3, 4]]), rangeOf(0, minute))
      )
      assert.isTrue(broken.reason._tag === "Malformed" && broken.reason.position === 0)
      const other = yield* Effect.flip(read("quote", pageOf(98, [[seconds, 0, "1", 1, "", ""]]), rangeOf(0, minute)))
      assert.strictEqual(other.reason._tag, "Malformed")
    })
  )

  it.effect("a page of which all is in one second goes on behind that second", () =>
    Effect.gen(function* () {
      const rows = Array.from({ length: 1_003 }, (_, index) => [seconds + 2, 0, "187.1", index, "ARCA", ""])
      const { page } = yield* read("trade", pageOf(98, rows), rangeOf(0, minute))
      assert.strictEqual(page.rows.length, 1_003)
      assert.deepStrictEqual(page.proves, rangeOf(0, 3 * second))
      assert.deepNestedInclude(page.next, { "params.query.startDateTime": "20260409-14:00:03" })
    })
  )
})

interface Rig {
  readonly gateway: GatewaySimulator.GatewaySimulator
  /** What the gateway was asked, with when. */
  readonly asked: Array<VendorRequest & { readonly at: number }>
  /** What goes wrong before the gateway is asked for the so many-th page, from 1. */
  before: { readonly page: number; readonly fault: Parameters<GatewaySimulator.GatewaySimulator["inject"]>[0] } | null
  /** Runs an effect while both times go on together. */
  readonly passing: <A, E, R>(effect: Effect.Effect<A, E, R>, step?: number) => Effect.Effect<A, E, R>
}

const rigged = <E>(
  body: (rig: Rig) => Effect.Effect<void, E, Layer.Success<ReturnType<typeof fresh>> | Scope.Scope>,
  options: GatewaySimulator.GatewayOptions = {}
) =>
  Effect.gen(function* () {
    yield* libraryLoaded
    const quotas = { ...options.quotas, messagesPerSecond: 1_000_000 }
    const gateway = yield* GatewaySimulator.make({ hours: "always", ...options, quotas })
    yield* TestClock.setTime(gateway.now())
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port, rest: 90_000 }, 1 << 26))
    const made = yield* IbkrAdapter.make(vendor)
    const { fetch } = made
    if (fetch === undefined) throw new Error("the adapter cannot fetch")
    const asked: Rig["asked"] = []
    let rig: Rig | null = null
    const adapter: Adapter = {
      ...made,
      fetch: {
        ...fetch,
        fetch: (request) =>
          Effect.suspend(() => {
            asked.push({ ...request, at: gateway.now() })
            const wrong = rig?.before ?? null
            const fault = wrong?.page === asked.length ? wrong.fault : null
            return Effect.andThen(fault === null ? Effect.void : gateway.inject(fault), fetch.fetch(request))
          })
      }
    }
    const pass = passWith(gateway)
    const passing: Rig["passing"] = (effect, step = 250) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(effect, { startImmediately: true })
        while (fiber.pollUnsafe() === undefined) {
          yield* turns
          if (fiber.pollUnsafe() === undefined) yield* pass(step, step)
        }
        return yield* Fiber.join(fiber)
      })
    rig = { gateway, asked, passing, before: null }
    yield* body(rig).pipe(Effect.provide(fresh(adapter)))
  }).pipe(Effect.scoped, Effect.provide(Layer.succeed(References.MinimumLogLevel, "Fatal")))

/** Trades of each second: more than IB gives at once. */
const dense = 1_300

const denseSeconds = (count: number): NonNullable<GatewaySimulator.GatewayOptions["replay"]> => {
  const all = Array.from({ length: count * dense }, (_, index) => index)
  return {
    symbol: "DENSE",
    decimals: 2,
    times: Float64Array.from(all, (index) => start + Math.floor((index * second) / dense)),
    prices: Int32Array.from(all, (index) => 18_700 + (index % 7)),
    sizes: Float64Array.from(all, (index) => 1 + (index % 3)),
    venues: Uint16Array.from(all, () => 0),
    exchanges: ["ARCA"],
    conditions: [""]
  }
}

const text = (row: object) => JSON.stringify(row, (_, value) => (typeof value === "bigint" ? `${value}` : value))
const rowsOf = (answer: TickAnswer) => Effect.map(Stream.runCollect(answer.rows), (rows) => rows.map(text).sort())

const truthOf = ({ gateway }: Rig, kind: TickKind, name: string, range: TimeRange) => {
  const { quotes, trades } = gateway.truth(name, range.start, range.end)
  return (
    kind === "trade"
      ? trades.map(({ at, conditions, exchange, price, size }) =>
          tradeOf(Math.floor(at / second), price, size, exchange, conditions)
        )
      : quotes.map(({ at, ...quote }) => quoteOf(Math.floor(at / second), 0, quote))
  )
    .map((row) => text(row ?? {}))
    .sort()
}

const seriesOf = (kind: TickKind, symbol = "AAPL") =>
  Effect.flatMap(StitchingCache, (cache) => cache.resolve("ibkr", queryOf(kind, symbol)))

describe("over the simulated gateway", () => {
  for (const kind of ["trade", "quote"] as const) {
    it.effect(`${kind}s of a range are the market's truth, page by page, and cost what IB counts`, () =>
      rigged((rig) =>
        Effect.gen(function* () {
          const cache = yield* StitchingCache
          const quota = yield* Quota
          const series = yield* seriesOf(kind)
          const range = rangeOf(0, 40 * minute)
          const answer = yield* rig.passing(cache.ticks({ series, range }))
          assert.deepStrictEqual(yield* rowsOf(answer), truthOf(rig, kind, "AAPL", range))
          assert.isAbove(answer.rowCount, 1_500)
          assert.isAtLeast(rig.asked.length, 2)
          // What is spent counts from the next whole millisecond on.
          yield* TestClock.adjust(1)
          const { windows } = yield* quota.use("ibkr")
          const used = windows.find(({ name }) => name === "history in 10 minutes")
          assert.strictEqual(used?.used, rig.asked.length * (kind === "quote" ? 2 : 1))
          const again = yield* cache.ticks({ series, range: rangeOf(minute, 30 * minute) })
          assert.strictEqual(again.requests, 0)
        })
      )
    )
  }

  it.effect("a second with more than a thousand trades is had whole", () =>
    rigged(
      (rig) =>
        Effect.gen(function* () {
          const cache = yield* StitchingCache
          const series = yield* seriesOf("trade", "DENSE")
          const range = rangeOf(0, 4 * second)
          const truth = truthOf(rig, "trade", "DENSE", range)
          assert.strictEqual(truth.length, 4 * dense)
          const answer = yield* rig.passing(cache.ticks({ series, range }))
          assert.deepStrictEqual(yield* rowsOf(answer), truth)
          assert.strictEqual(rig.asked.length, 4)
        }),
      { replay: denseSeconds(5), start: start + minute }
    )
  )

  it.effect(
    "a pacing violation in the middle leaves what came before, and the rest is Throttled until it may be had",
    () =>
      rigged((rig) =>
        Effect.gen(function* () {
          const { gateway } = rig
          const cache = yield* StitchingCache
          const series = yield* seriesOf("trade")
          const range = rangeOf(0, 40 * minute)
          rig.before = { page: 2, fault: { _tag: "HistoryPacing", requests: 100 } }
          const answer = yield* rig.passing(cache.ticks({ series, range }, { onMissing: "partial" }))
          assert.isAbove(answer.rowCount, 900)
          const hole = answer.coverage.at(-1)
          assert.isTrue(hole?.state._tag === "Throttled" && hole.state.retryAfter >= 90_000, JSON.stringify(hole))
          const had = { start: range.start, end: hole?.start ?? 0 }
          assert.deepStrictEqual(yield* rowsOf(answer), truthOf(rig, "trade", "AAPL", had))
          yield* gateway.inject({ _tag: "Clear" })
          const pages = rig.asked.length
          yield* rig.passing(Effect.sleep(91_000), 1_000)
          const rest = yield* rig.passing(cache.ticks({ series, range }))
          assert.deepStrictEqual(yield* rowsOf(rest), truthOf(rig, "trade", "AAPL", range))
          assert.isTrue(rig.asked.slice(pages).every(({ params }) => (params as { from: string }).from >= iso(had.end)))
        })
      )
  )

  it.effect("a range of which IB says that it has nothing is empty, and asked for again later", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = yield* seriesOf("quote")
        yield* rig.gateway.inject({ _tag: "HistoryEmpty", requests: 1 })
        const answer = yield* rig.passing(cache.ticks({ series, range: rangeOf(0, minute) }))
        assert.deepStrictEqual([answer.rowCount, answer.coverage[0]?.state._tag], [0, "Empty"])
        const again = yield* cache.ticks({ series, range: rangeOf(0, minute) })
        assert.strictEqual(again.requests, 0)
      })
    )
  )

  it.effect("a connection that ends in the middle of the pages costs no page that had come", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = yield* seriesOf("trade")
        const range = rangeOf(0, 40 * minute)
        rig.before = { page: 2, fault: { _tag: "CutFrame", bytes: 100, how: "rst" } }
        const answer = yield* rig.passing(cache.ticks({ series, range }))
        assert.deepStrictEqual(yield* rowsOf(answer), truthOf(rig, "trade", "AAPL", range))
        const places = rig.asked.map(({ params }) => (params as { from: string }).from)
        assert.strictEqual(places.length - new Set(places).size, 1, "only the page that was cut is asked for again")
        assert.strictEqual(new Set(places).size, answer.requests)
      })
    )
  )
})

describe("a gateway that says 420", () => {
  it.live("is left alone for its rest: nothing is asked in it, and the range says for how long", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onMessage: (fields, talk) => {
          answerTime(fields, talk)
          if (fields[0] === "96") talk.send(4, 2, Number(fields[1]), 420, "Invalid Real-time Query", "")
        }
      })
      const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port, rest: 90_000 }, 1 << 26))
      const adapter = yield* IbkrAdapter.make(vendor)
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const series = yield* seriesOf("quote")
        const answer = yield* cache.ticks({ series, range: rangeOf(0, minute) }, { onMissing: "partial" })
        const [hole] = answer.coverage
        assert.isTrue(hole?.state._tag === "Throttled" && hole.state.retryAfter >= 90_000, JSON.stringify(hole))
        const plan = yield* cache.plan({ series, range: rangeOf(0, minute) })
        assert.isAbove(plan.waits, 60_000)
        assert.strictEqual(gateway.messages.filter(([kind]) => kind === "96").length, 1)
      }).pipe(Effect.provide(fresh(adapter)))
    }).pipe(Effect.scoped)
  )
})

describe("readers of ranges that overlap, at the same time", () => {
  const spans = fc
    .tuple(fc.integer({ min: 0, max: 30 * 60 }), fc.integer({ min: 1, max: 20 * 60 }))
    .map(([from, length]) => rangeOf(from * second, (from + length) * second))
  const reader = fc.record({ range: spans, after: fc.integer({ min: 0, max: 2_000 }), leaves: fc.boolean() })

  /** How often each page was asked for; none is where nobody left. */
  const repeats = (asked: Rig["asked"]): number => {
    const places = asked.map(({ params }) => (params as { readonly from: string }).from)
    return places.length - new Set(places).size
  }

  it.live("are each told the truth, and no page is asked for twice where nobody left", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(reader, { minLength: 2, maxLength: 6 }), (readers) =>
          Effect.runPromise(
            rigged((rig) =>
              Effect.gen(function* () {
                const cache = yield* StitchingCache
                const series = yield* seriesOf("trade")
                const fibers = yield* Effect.forEach(readers, ({ after, leaves, range }) =>
                  Effect.delay(cache.ticks({ series, range }), after).pipe(
                    leaves ? Effect.timeoutOption(500 + after) : Effect.map(Option.some),
                    Effect.forkChild
                  )
                )
                const answers = yield* rig.passing(Effect.forEach(fibers, Fiber.join))
                for (const [index, answer] of answers.entries()) {
                  if (Option.isNone(answer)) continue
                  const { range } = answer.value
                  assert.deepStrictEqual(range, readers[index]?.range)
                  assert.deepStrictEqual(yield* rowsOf(answer.value), truthOf(rig, "trade", "AAPL", range))
                }
                if (readers.every(({ leaves }) => !leaves)) assert.strictEqual(repeats(rig.asked), 0)
              })
            ).pipe(Effect.provide(TestClock.layer()))
          )
        ),
        { numRuns: 15 }
      )
    )
  )
})

const iso = (instant: number) => new Date(instant).toISOString()
