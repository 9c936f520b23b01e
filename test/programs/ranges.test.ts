/** Ranges through the command line: what is fetched, what is not, and what is said about it. */
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const series = "v1/sample/-/SPX/bar/1d/trade/regular/USD/raw"
const range = (from: string, to: string) => ["--from", from, "--to", to]
const at = (day: string) => `${day}T00:00:00.000Z`

describe("bars", () => {
  const where = { cwd: scratch("bars") }

  it("fetches half a year, then of a whole year only the rest, then nothing", () => {
    const half = json(where, 0, "bars", ...spx, ...range("2008-07-01", "2009-01-01"))
    assert.deepStrictEqual(half, {
      series,
      range: { start: at("2008-07-01"), end: at("2009-01-01") },
      rowCount: 128,
      requests: 1,
      rowsFromVendor: 128,
      coverage: [{ start: at("2008-07-01"), end: at("2009-01-01"), status: "Covered", response: 1 }]
    })

    const plan = json(where, 0, "bars", ...spx, ...range("2008-07-01", "2009-07-01"), "--plan")
    assert.deepStrictEqual(plan.pieces, [
      { start: at("2008-07-01"), end: at("2009-01-01"), from: "store", status: "Covered", requests: 0 },
      { start: at("2009-01-01"), end: at("2009-07-01"), from: "vendor", status: "Missing", requests: 1 }
    ])
    assert.strictEqual(plan.series, series)
    assert.strictEqual(plan.requests, 1)

    const year = json(where, 0, "bars", ...spx, ...range("2008-07-01", "2009-07-01"))
    assert.strictEqual(year.rowCount, 252)
    assert.strictEqual(year.rowsFromVendor, 124)
    assert.strictEqual(year.requests, 1)

    const again = json(where, 0, "bars", ...spx, ...range("2008-07-01", "2009-07-01"))
    assert.strictEqual(again.rowCount, 252)
    assert.strictEqual(again.requests, 0)
    assert.strictEqual(again.rowsFromVendor, 0)
    assert.strictEqual(json(where, 0, "bars", ...spx, ...range("2008-07-01", "2009-07-01"), "--plan").requests, 0)
  })

  it("ndjson and csv hold the rows of the source file", () => {
    const args = ["bars", ...spx, ...range("2008-09-29", "2008-10-01")]
    assert.deepStrictEqual(
      ok(where, ...args, "--format", "ndjson")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
      [
        {
          ts: at("2008-09-29"),
          open: 1209.069946,
          high: 1209.069946,
          low: 1106.420044,
          close: 1106.420044,
          volume: 7305060000
        },
        {
          ts: at("2008-09-30"),
          open: 1113.780029,
          high: 1168.030029,
          low: 1113.780029,
          close: 1166.359985,
          volume: 4937680000
        }
      ]
    )
    assert.strictEqual(
      ok(where, ...args, "--format", "csv"),
      "ts,open,high,low,close,volume,vwap,count\n" +
        "2008-09-29T00:00:00.000Z,1209.069946,1209.069946,1106.420044,1106.420044,7305060000,,\n" +
        "2008-09-30T00:00:00.000Z,1113.780029,1168.030029,1113.780029,1166.359985,4937680000,,\n"
    )
  })

  it("a table has aligned numbers and, under it, where the rows came from", () => {
    const lines = ok(where, "bars", ...spx, ...range("2008-09-29", "2008-10-01"))
      .trimEnd()
      .split("\n")
    assert.deepStrictEqual(lines, [
      "date (UTC)         open         high          low        close         volume",
      "2008-09-29  1209.069946  1209.069946  1106.420044  1106.420044  7,305,060,000",
      "2008-09-30  1113.780029  1168.030029  1113.780029  1166.359985  4,937,680,000",
      "2 rows of SPX 1d: 2 from the store, no request made"
    ])
  })

  it("--limit gives the first rows and says so", () => {
    const text = ok(where, "bars", ...spx, ...range("2008-07-01", "2009-07-01"), "--limit", "3")
    assert.match(text, /\n2008-07-03.*\nfirst 3 of 252 rows of SPX 1d: 252 from the store, no request made\n$/)
    const csv = ok(where, "bars", ...spx, ...range("2008-07-01", "2009-07-01"), "--limit", "3", "--format", "csv")
    assert.strictEqual(csv.trimEnd().split("\n").length, 4)
  })

  it("C43: --last ends at the start of today, so that the second run is answered from the store", () => {
    const first = json(where, 0, "bars", ...spx, "--last", "30d")
    assert.match(first.range.end, /T00:00:00\.000Z$/)
    assert.strictEqual(Date.parse(first.range.end) - Date.parse(first.range.start), 30 * 86_400_000)
    const second = json(where, 0, "bars", ...spx, "--last", "30d")
    if (second.range.end === first.range.end) assert.strictEqual(second.requests, 0)
    assert.match(ok(where, "bars", ...spx, "--last", "30d"), /0 rows of SPX 1d: sample has none in this range/)
  })

  it("global flags may stand before the command", () => {
    const before = tapestry(where, "--json", "bars", ...spx, ...range("2008-09-29", "2008-10-01"))
    assert.strictEqual(JSON.parse(before.stdout).rowCount, 2)
  })
})

describe("holes", () => {
  const where = { cwd: scratch("holes") }

  it("end with 3 and are named, and with --on-missing fail end with 1", () => {
    ok(where, "bars", ...spx, ...range("2008-07-01", "2008-08-01"))
    const args = ["bars", ...spx, ...range("2008-06-01", "2008-08-01"), "--policy", "cacheOnly"]
    const partial = tapestry(where, ...args)
    assert.strictEqual(partial.code, 3)
    assert.match(partial.stdout, /22 rows of SPX 1d: 22 from the store, no request made/)
    assert.match(partial.stderr, /^not had: 2008-06-01 to 2008-07-01: not asked for yet\n$/)
    const document = json(where, 3, ...args)
    assert.deepStrictEqual(
      document.coverage.map((part: { status: string }) => part.status),
      ["Missing", "Covered"]
    )
    const failed = tapestry(where, ...args, "--on-missing", "fail")
    assert.strictEqual(failed.code, 1)
    assert.strictEqual(failed.stdout, "")
    const { error } = json(where, 1, ...args, "--on-missing", "fail")
    assert.strictEqual(error._tag, "StitchingCacheError")
    assert.strictEqual(error.reason, "RangeIncomplete")
  })

  it("--as-of before the first fetch is all missing, after it is what was fetched", () => {
    const args = ["bars", ...spx, ...range("2008-07-01", "2008-08-01")]
    assert.strictEqual(json(where, 3, ...args, "--as-of", "2020-01-01").rowCount, 0)
    assert.strictEqual(json(where, 0, ...args, "--as-of", "2999-01-01").rowCount, 22)
  })
})

describe("nothing stored yet", () => {
  const where = { cwd: scratch("nothing") }

  it("reads as empty, says so, and makes no data directory", () => {
    assert.deepStrictEqual(json(where, 0, "series", "list"), { series: [] })
    assert.deepStrictEqual(json(where, 0, "archive", "verify"), { checked: 0, bad: [] })
    const coverage = json(where, 0, "coverage", ...spx, ...range("2008-07-01", "2008-08-01"))
    assert.deepStrictEqual(coverage.coverage, [{ start: at("2008-07-01"), end: at("2008-08-01"), status: "Missing" }])
    assert.match(tapestry(where, "archive", "sessions").stderr, /nothing is stored in \.tapestry yet/)
    assert.deepStrictEqual(readdirSync(where.cwd), [])
  })
})

describe("--out", () => {
  const where = { cwd: scratch("out") }
  const args = ["bars", ...spx, ...range("2000-01-01", "2001-01-01")]
  const file = (name: string) => join(where.cwd, name)

  it("writes the format that the file's name says, whole, and leaves no temporary file", () => {
    const run = tapestry(where, ...args, "--out", "spx.csv")
    assert.strictEqual(run.code, 0)
    assert.strictEqual(run.stdout, "")
    assert.match(run.stderr, /^wrote 252 rows to spx\.csv\n$/)
    assert.strictEqual(readFileSync(file("spx.csv"), "utf8"), ok(where, ...args, "--format", "csv"))
    ok(where, ...args, "--out", "spx.ndjson")
    assert.strictEqual(readFileSync(file("spx.ndjson"), "utf8"), ok(where, ...args, "--format", "ndjson"))
    ok(where, ...args, "--out", "spx.txt")
    assert.match(readFileSync(file("spx.txt"), "utf8"), /^date \(UTC\)/)
    assert.deepStrictEqual(readdirSync(where.cwd).sort(), [".tapestry", "spx.csv", "spx.ndjson", "spx.txt"])
  })

  it("goes with --json: rows in the file, the document on standard output", () => {
    assert.strictEqual(json(where, 0, ...args, "--out", "both.csv").rowCount, 252)
    assert.isTrue(existsSync(file("both.csv")))
  })

  it("keeps a link a link, and what is there when it cannot write", () => {
    writeFileSync(file("target.csv"), "old")
    symlinkSync("target.csv", file("link.csv"))
    ok(where, ...args, "--out", "link.csv")
    assert.match(readFileSync(file("target.csv"), "utf8"), /^ts,open/)
    for (const [target, reason] of [
      ["nowhere/spx.csv", /no such directory/],
      [".tapestry", /it is a directory/]
    ] as const) {
      const run = tapestry(where, ...args, "--out", target)
      assert.strictEqual(run.code, 1)
      assert.match(run.stderr, reason)
    }
  })
})
