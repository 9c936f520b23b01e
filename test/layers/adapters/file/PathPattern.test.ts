import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Path, Result } from "effect"
import fc from "fast-check"
import { listSymbols } from "../../../../src/layers/adapters/file/FileListing.ts"
import * as PathPattern from "../../../../src/layers/adapters/file/PathPattern.ts"
import * as TapestryConfig from "../../../../src/layers/config/TapestryConfig.ts"
import { filesIn, platform } from "./support.ts"

const symbol = { lower: "spy", upper: "SPY" }
const fill = (source: string, date: PathPattern.PathDate | null) =>
  Result.map(PathPattern.parse(source), (pattern) => PathPattern.fill(pattern, { symbol, date }))

describe("PathPattern", () => {
  it("fills symbols and dates, and stays open where one is missing", () => {
    const date = { year: 2013, month: 1, day: 7 }
    assert.deepStrictEqual(
      fill("{yyyy}/{MM}/{dd}/{SYMBOL}_{symbol}_{yyyyMMdd}.csv", date),
      Result.succeed("2013/01/07/SPY_spy_20130107.csv")
    )
    assert.deepStrictEqual(fill("{yyyy}.csv", null), Result.succeed(null))
  })

  for (const [source, problem] of [
    ["", /empty/],
    ["/etc/{symbol}", /relative to root/],
    ["C:\\data", /relative to root/],
    ["../{symbol}.csv", /must not have/],
    ["a//b", /must not have/],
    ["{symbol", /without a \}/],
    ["{ticker}.csv", /has \{ticker\}/],
    ["{dd}.csv", /needs \{MM\} and \{yyyy\}/],
    ["{MM}.csv", /needs/]
  ] as const) {
    it(`refuses ${JSON.stringify(source)}`, () => {
      const parsed = PathPattern.parse(source)
      assert.match(Result.isFailure(parsed) ? parsed.failure : "accepted", problem)
    })
  }

  it("the file of an instant has a period that holds it, and its date reads back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2060, 0, 1) }),
        fc.constantFrom("day" as const, "month" as const, "year" as const),
        (instant, unit) => {
          const date = PathPattern.dateOf(instant, unit)
          const period = PathPattern.localPeriod(date, unit)
          assert.isTrue(period.start <= instant && instant < period.end)
          assert.deepStrictEqual(PathPattern.parseDate(PathPattern.formatDate(date, unit)), { date, unit })
          assert.strictEqual(PathPattern.localPeriod(PathPattern.dateOf(period.end, unit), unit).start, period.end)
        }
      )
    )
  })

  it.effect("symbols are found along any pattern, each once, and never more than asked for", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const root = yield* filesIn({
        "a/2013/01/spy.x-1.csv": "",
        "a/2013/02/spy.x-1.csv": "",
        "a/2014/01/brk.b-1.csv": "",
        "a/2014/01/UPPER-1.csv": "",
        "a/2014/xx/hidden-1.csv": "",
        "a/2014/01/other.txt": ""
      })
      const list = Effect.fnUntraced(function* (pattern: string, only: string | null, limit: number) {
        const text = `vendors:\n  v:\n    adapter: file\n    root: .\n    path: "${pattern}"\n    timeframe: 1d\n`
        const config = yield* Effect.fromResult(TapestryConfig.decode(`${root}/t.yaml`, text, path))
        const [first] = config.vendors
        const entry = first?.adapter === "file" ? first.entries[0] : undefined
        if (entry === undefined) return yield* Effect.die("no entry")
        return (yield* listSymbols(fs, path, entry, { only, limit })).symbols
      })
      const pattern = "a/{yyyy}/{MM}/{symbol}-1.csv"
      assert.deepStrictEqual(yield* list(pattern, null, 100), ["BRK.B", "SPY.X"])
      assert.strictEqual((yield* list(pattern, null, 1)).length, 1)
      assert.deepStrictEqual(yield* list(pattern, "SPY.X", 1), ["SPY.X"])
      assert.deepStrictEqual(yield* list(pattern, "HIDDEN", 1), [])
      assert.deepStrictEqual(yield* list("b/{symbol}.csv", null, 10), [])
    }).pipe(Effect.provide(platform))
  )
})
