/** `tapestry rebuild`: the store from the archive alone, without an owner and beside one, and what a check says. */
import { rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("rebuild") }
const year = ["--from", "2008-07-01", "--to", "2009-01-01"]
const key = "v1/sample/-/SPX/bar/1d/trade/regular/USD/raw"
const market = join(where.cwd, ".tapestry", "market.sqlite")
const before = ok(where, "bars", ...spx, ...year, "--format", "csv")

const change = (statement: string): void => {
  const db = new Database(market)
  db.exec(statement)
  db.close()
}

describe("X7: rebuild", () => {
  it("finds nothing where the store is what the archive says", () => {
    assert.strictEqual(
      ok(where, "rebuild", "--check"),
      "1 series compared with the archive, 1 response with 128 rows: all the same\n"
    )
    const checked = json(where, 0, "rebuild", "--check")
    assert.deepStrictEqual(
      checked.series.map(({ moved, same, series }: Record<string, unknown>) => ({ moved, same, series })),
      [{ series: key, same: true, moved: { rows: 0, revisions: 0, coverage: 0, actions: 0 } }]
    )
    assert.deepStrictEqual(checked.series[0].stored, checked.series[0].rebuilt)
  })

  it("leaves the series of a vendor that is not configured any more, says so and ends with 3", () => {
    writeFileSync(join(where.cwd, "without.yaml"), "sample: false\n")
    const rebuilt = tapestry(where, "rebuild", "--config", "without.yaml")
    assert.strictEqual(rebuilt.code, 3)
    assert.include(rebuilt.stdout, `left as it is: ${key}: no vendor named sample`)
    const read = json(where, 1, "bars", ...spx, ...year, "--config", "without.yaml")
    assert.strictEqual(read.error.reason, "UnknownVendor")
  })

  it("names a row that was changed in the store, both values and who read them, ends with 3, and puts it right", () => {
    change("update bars set close = close + 1 where ts = (select min(ts) from bars)")
    const checked = tapestry(where, "rebuild", "--check")
    assert.strictEqual(checked.code, 3)
    const [title, header = "", row = "", , last] = checked.stdout.split("\n")
    assert.strictEqual(title, `${key}: 1 row moved`)
    assert.match(header, /^ {2}what {2}at \(UTC\) +stored +read by +rebuilt +read by$/)
    assert.match(
      row,
      /^ {2}row +2008-07-01 {2}close 1285\.910034 {2}response 1, position 2137, decoder 1 {2}close 1284\.910034 {2}response 1, position 2137, decoder 1$/
    )
    assert.strictEqual(row.indexOf("close 1284"), header.indexOf("rebuilt"))
    assert.match(last ?? "", /^1 series compared .*: 1 not the same$/)
    const { series } = json(where, 3, "rebuild", "--check")
    assert.strictEqual(series[0].differences[0].stored.bar.ts, "2008-07-01T00:00:00.000Z")
    const none = json(where, 3, "rebuild", "--check", "--limit", "0")
    assert.deepStrictEqual([none.series[0].moved.rows, none.series[0].differences], [1, []])
    assert.strictEqual(ok(where, "rebuild"), "rebuilt 1 series from 1 response with 128 rows\n")
    assert.strictEqual(ok(where, "bars", ...spx, ...year, "--format", "csv"), before)
    ok(where, "rebuild", "--check")
  })

  it("makes a store that is gone", () => {
    rmSync(market)
    assert.strictEqual(ok(where, "rebuild", "--vendor", "sample", "--symbol", "SPX").slice(0, 16), "rebuilt 1 series")
    const rows = ok(where, "bars", ...spx, ...year, "--format", "csv", "--policy", "cacheOnly")
    assert.strictEqual(rows, before)
    ok(where, "rebuild", "--check")
  })

  it("says what is wrong with its flags", () => {
    assert.strictEqual(tapestry(where, "rebuild", "--limit", "-1").code, 2)
    const document = json(where, 0, "rebuild", "--symbol", "NOPE")
    assert.deepStrictEqual([document.series, document.responses], [[], 0])
  })
})
