/** Ranges of Yahoo through the whole runtime: plan, quota, socket, archive, decoder, store. The clock is the test's, the server too. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule } from "effect"
import { TestClock } from "effect/testing"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import type { YahooVendorSpec } from "../../../../src/layers/adapters/yahoo/YahooVendor.ts"
import * as YahooServer from "../../../../src/layers/testing/yahoo/YahooServer.ts"
import type { SeriesQuery } from "../../../../src/services/Adapter.ts"
import { type RangeAnswer, StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { barsOf, fresh, moving, outline } from "../../stitching/support.ts"
import { adapterOf, between, line, utc } from "./support.ts"

const minute = 60_000
const day = 86_400_000

const over = Effect.fnUntraced(function* (
  now: string,
  options: YahooServer.YahooServerOptions = {},
  spec: Partial<YahooVendorSpec> = {}
) {
  yield* TestClock.setTime(utc(now))
  const server = yield* YahooServer.make(options)
  const adapter = yield* adapterOf(server.host, { quota: { windows: [] }, ...spec })
  const series = (symbol: string, more: Partial<SeriesQuery> = {}) =>
    adapter.fetch.series({ symbol, kind: "bar", timeframe: "1d", ...more })
  return { server, series, services: fresh(adapter) }
})

const lines = (answer: RangeAnswer) => Effect.map(barsOf(answer), (bars) => bars.map(line))

describe("Yahoo through the stitching cache", () => {
  it.effect(
    "asks once for a range of days, keeps its corporate actions, and answers the next read from the store",
    () =>
      Effect.gen(function* () {
        const { series, server, services } = yield* over("2024-11-27T15:07:12.345Z")
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const key = yield* series("AAPL")
          const range = between("2020-01-01", "2021-01-01")
          const plan = yield* cache.plan({ series: key, range })
          assert.strictEqual(plan.requests.length, 1)
          const answer = yield* moving(cache.read({ series: key, range }))
          assert.deepStrictEqual(yield* lines(answer), server.expected(key, range).map(line))
          assert.deepStrictEqual(outline(answer.coverage), ["2020-01-01T00:00:00.000Z Covered"])
          const inside = between("2020-03-01", "2020-04-01")
          const again = yield* moving(cache.read({ series: key, range: inside }))
          assert.deepStrictEqual(yield* lines(again), server.expected(key, inside).map(line))
          assert.strictEqual(server.log().length, 1)
          const actions = yield* cache.actions(key, range)
          assert.deepStrictEqual(
            actions.map(({ action }) => `${new Date(action.ts).toISOString().slice(0, 10)} ${action.kind}`),
            [
              "2020-02-07 dividend",
              "2020-05-08 dividend",
              "2020-08-07 dividend",
              "2020-08-31 split",
              "2020-11-06 dividend"
            ]
          )
          // Another adjustment is another series, and is not made of the rows of this one.
          const raw = yield* series("AAPL", { adjustment: "raw" })
          const undone = yield* moving(cache.read({ series: raw, range: inside }))
          assert.deepStrictEqual(yield* lines(undone), server.expected(raw, inside).map(line))
        }).pipe(Effect.provide(services))
      })
  )

  it.effect("cuts a month of minutes into pieces that Yahoo allows, and names what is too old", () =>
    Effect.gen(function* () {
      const { series, server, services } = yield* over("2024-11-27T15:07:12.345Z")
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const key = yield* series("AAPL", { timeframe: "1m" })
        const range = between("2024-10-30", "2024-11-27T15:00:00Z")
        const answer = yield* moving(cache.read({ series: key, range }))
        assert.deepStrictEqual(yield* lines(answer), server.expected(key, range).map(line))
        assert.deepStrictEqual(
          server.log().map(({ status }) => status),
          server.log().map(() => 200)
        )
        // The others ask for one bar at a seam, to see that both sides are adjusted alike.
        const pieces = server.log().filter(({ query }) => query.period2 - query.period1 > 600)
        assert.strictEqual(pieces.length, 5)
        server.clearLog()
        const older = yield* moving(
          cache.read({ series: key, range: between("2024-09-01", "2024-09-10") }, { onMissing: "partial" })
        )
        assert.deepStrictEqual(yield* lines(older), [])
        assert.match(JSON.stringify(older.coverage), /bars of the last .* only/)
        assert.strictEqual(server.log().length, 0)
      }).pipe(Effect.provide(services))
    })
  )

  for (const timeframe of ["1m", "30m", "1d", "1w"] as const) {
    it.effect(`serves the open bar of ${timeframe} as provisional and follows it until it is final`, () =>
      Effect.gen(function* () {
        const start = "2024-11-26T14:35:10Z"
        const { series, server, services } = yield* over(start, { faults: { separateLive: true } })
        yield* Effect.gen(function* () {
          const cache = yield* StitchingCache
          const key = yield* series("AAPL", { timeframe })
          const range: TimeRange = between("2024-11-25", "2024-12-02")
          const seen = new Set<string>()
          for (const step of [0, 2 * minute, 45 * minute, 3 * 60 * minute, 12 * 60 * minute, 7 * day]) {
            yield* TestClock.adjust(step)
            const answer = yield* moving(cache.read({ series: key, range }, { onMissing: "partial" }))
            const had = yield* lines(answer)
            assert.deepStrictEqual(had, server.expected(key, range).map(line), `after ${step}`)
            const state = answer.coverage.find(({ end, start: from }) => from <= utc(start) && utc(start) < end)?.state
            if (state !== undefined) seen.add(state._tag)
          }
          const last = yield* cache.coverage(key, range)
          assert.isFalse(last.some(({ state }) => state._tag === "Provisional"))
          server.clearLog()
          yield* moving(cache.read({ series: key, range }))
          assert.strictEqual(server.log().length, 0)
          if (timeframe !== "30m" && timeframe !== "1m") assert.isTrue(seen.has("Provisional"))
        }).pipe(Effect.provide(services))
      })
    )
  }

  it.effect("a split overnight leaves no mix of old and new shares", () =>
    Effect.gen(function* () {
      const { series, server, services } = yield* over("2020-08-28T23:00:00Z")
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const key = yield* series("AAPL")
        const early = between("2020-07-01", "2020-08-28")
        yield* moving(cache.read({ series: key, range: early }))
        yield* TestClock.setTime(utc("2020-09-03T12:00:00Z"))
        const range = between("2020-07-01", "2020-09-02")
        const answer = yield* moving(cache.read({ series: key, range }))
        assert.deepStrictEqual(yield* lines(answer), server.expected(key, range).map(line))
      }).pipe(Effect.provide(services))
    })
  )

  it.effect("has every bar although Yahoo throttles, hangs up, breaks off and sends pages", () =>
    Effect.gen(function* () {
      const { series, server, services } = yield* over(
        "2024-11-27T15:07:12.345Z",
        {
          faults: { ...YahooServer.strangeBodies, throttled: 0.15, unavailable: 0.15, dropped: 0.1, truncated: 0.15 }
        },
        { rest: 1_000 }
      )
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        for (const [symbol, timeframe, range] of [
          ["AAPL", "1d", between("2022-01-01", "2024-11-01")],
          ["MSFT", "1m", between("2024-10-30", "2024-11-26")],
          ["OCDO.L", "1h", between("2024-08-01", "2024-11-26")],
          ["BTC-USD", "15m", between("2024-11-01", "2024-11-08")]
        ] as const) {
          const key = yield* series(symbol, { timeframe })
          // What four attempts in a row did not bring is asked for again, as an operator would.
          const answer = yield* moving(
            Effect.retry(
              cache.read({ series: key, range }),
              Schedule.spaced("10 seconds").pipe(Schedule.upTo({ times: 40 }))
            )
          )
          assert.deepStrictEqual(yield* lines(answer), server.expected(key, range).map(line), symbol)
        }
        assert.isTrue(server.log().some(({ trouble }) => trouble === "truncated"))
      }).pipe(Effect.provide(services))
    })
  )

  it.effect("Y22 a range before the first day is empty, with the answer that says so", () =>
    Effect.gen(function* () {
      const { series, server, services } = yield* over("2024-11-27T15:07:12.345Z")
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const key = yield* series("OCDO.L")
        const range = between("2005-01-01", "2006-01-01")
        const answer = yield* moving(cache.read({ series: key, range }))
        assert.deepStrictEqual(outline(answer.coverage), ["2005-01-01T00:00:00.000Z Empty"])
        assert.strictEqual(server.log()[0]?.status, 400)
      }).pipe(Effect.provide(services))
    })
  )

  it.effect("Y21 an unknown symbol is NotFound and is not asked for again at once", () =>
    Effect.gen(function* () {
      const { series, server, services } = yield* over("2024-11-27T15:07:12.345Z")
      yield* Effect.gen(function* () {
        const cache = yield* StitchingCache
        const key = yield* series("NOSUCH")
        const read = cache.read({ series: key, range: between("2024-01-01", "2024-02-01") }, { onMissing: "partial" })
        for (const _ of [1, 2]) {
          assert.deepStrictEqual(outline((yield* moving(read)).coverage), ["2024-01-01T00:00:00.000Z NotFound"])
        }
        assert.strictEqual(server.log().length, 1)
      }).pipe(Effect.provide(services))
    })
  )
})
