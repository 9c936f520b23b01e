/** The newest prices and how old rows are, as the command line tells them. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("latest") }
const hour = 3_600_000
const recent = new Date(Math.floor(Date.now() / hour) * hour - 2 * hour).toISOString()
const taken = (kind: string, name: string, rows: ReadonlyArray<object>) => {
  writeFileSync(join(where.cwd, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  ok(where, "ingest", kind, name, "--vendor", "acme")
}
const bar = (symbol: string, ts: string, close: number) => ({
  symbol,
  timeframe: "1h",
  ts,
  open: close,
  high: close,
  low: close,
  close,
  volume: 1
})
taken("bars", "bars.ndjson", [
  bar("OLD", "2024-01-02T10:00:00Z", 10.5),
  bar("OLD", "2024-01-02T11:00:00Z", 11.25),
  bar("NEW", recent, 0.1)
])
taken("trades", "trades.ndjson", [{ symbol: "NEW", tsNs: "1704189600000000001", price: 9, size: 1 }])

describe("tapestry latest", () => {
  it("has the newest close of each series of bars, with its instant", () => {
    const { latest } = json(where, 0, "latest")
    assert.deepStrictEqual(
      latest.map(({ symbol, ts, price }: Record<string, unknown>) => [symbol, ts, price]),
      [
        ["NEW", recent, 0.1],
        ["OLD", "2024-01-02T11:00:00.000Z", 11.25]
      ]
    )
    const lines = ok(where, "latest", "OLD").split("\n")
    assert.match(lines[0] ?? "", /^vendor +symbol +timeframe +price +at \(UTC\) +of$/)
    assert.match(lines[1] ?? "", /^acme +OLD +1h +11\.25 +2024-01-02T11:00Z +trade$/)
    assert.strictEqual(ok(where, "latest", "--vendor", "nobody"), "no bars\n")
  })

  it("names the symbols that have none, and ends with 3", () => {
    const { code, stderr, stdout } = tapestry(where, "latest", "OLD", "GONE", "GONE")
    assert.strictEqual(code, 3)
    assert.match(stdout, /11\.25/)
    assert.match(stderr, /^no bars are stored of GONE; /)
  })
})

describe("tapestry freshness", () => {
  it("lists every series of every kind with its last row and the answer that spoke of it", () => {
    const { freshness } = json(where, 0, "freshness")
    assert.deepStrictEqual(
      freshness.map(({ kind, rows, last, answeredBy }: Record<string, unknown>) => [kind, rows, last, answeredBy]),
      [
        ["bar", 1, recent, 1],
        ["trade", 1, "2024-01-02T10:00:00.000Z", 2],
        ["bar", 2, "2024-01-02T11:00:00.000Z", 1]
      ]
    )
    for (const { age, last } of freshness) assert.approximately(age, (Date.now() - Date.parse(last)) / 1_000, 600)
  })

  it("with --older-than is a check: what is too old, and 3", () => {
    const { code, stdout } = tapestry(where, "freshness", "--older-than", "36h")
    assert.strictEqual(code, 3)
    assert.match(stdout, /OLD/)
    assert.notMatch(stdout, /NEW +bar/)
    assert.match(ok(where, "freshness", "--older-than", "99999d"), /^no series is older than that\n$/)
    const wrong = tapestry(where, "freshness", "--older-than", "soon")
    assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
    assert.match(wrong.stderr, /--older-than soon: expected a number and s, m, h or d/)
  })
})
