/** `tapestry bars` with several vendors. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, tapestry } from "./tapestry.ts"

const rows = (close: number) => `date,open,high,low,close,volume
2024-01-02,10,30,9,${close},1000
2024-01-03,10,30,9,${close},1000
`

const vendor = (name: string, adjustment = "raw") => `  ${name}:
    adapter: file
    root: ${name}
    path: "{symbol}.csv"
    timeframe: 1d
    adjustment: ${adjustment}
    columns: { ts: date }
`

const where = (() => {
  const cwd = scratch("preferred")
  for (const name of ["a", "b", "adjusted"]) mkdirSync(join(cwd, name))
  writeFileSync(join(cwd, "a", "acme.csv"), rows(11))
  writeFileSync(join(cwd, "b", "acme.csv"), rows(12))
  writeFileSync(join(cwd, "b", "brk-b.csv"), rows(13))
  writeFileSync(join(cwd, "adjusted", "acme.csv"), rows(14))
  const text = `sample: false
vendors:
${vendor("a")}${vendor("b")}${vendor("adjusted", "all")}preferences:
  us: { vendors: [a, b], symbols: { BRK.B: { b: BRK-B } } }
`
  writeFileSync(join(cwd, "tapestry.yaml"), text)
  return { cwd }
})()

const range = ["--timeframe", "1d", "--from", "2024-01-01", "--to", "2024-01-04"]
const bars = (...words: ReadonlyArray<string>) => ["bars", ...words, ...range]

describe("tapestry bars of several vendors", () => {
  it("takes each part from the first that gives it, and each row says whose it is", () => {
    const both = ok(where, ...bars("ACME", "--vendor", "a,b"))
    assert.deepStrictEqual(both.trimEnd().split("\n"), [
      "date (UTC)  open  high  low  close  volume  vendor",
      "2024-01-02    10    30    9     11   1,000  a",
      "2024-01-03    10    30    9     11   1,000  a",
      "2 rows: 1 part from a; 1 request"
    ])
    const second = tapestry(where, ...bars("BRK.B", "--vendor", "us", "--format", "csv"))
    assert.strictEqual(second.code, 0, second.stderr)
    assert.strictEqual(
      second.stdout,
      "ts,open,high,low,close,volume,vwap,count,vendor\n2024-01-02T00:00:00.000Z,10,30,9,13,1000,,,b\n2024-01-03T00:00:00.000Z,10,30,9,13,1000,,,b\n"
    )
    assert.match(second.stderr, /^from b: 2024-01-01 to 2024-01-04: a: .*no files for symbol BRK\.B/)
    const document = json(where, 0, ...bars("BRK.B", "--vendor", "a,b:brk-b"))
    assert.deepInclude(document, { rowCount: 2 })
    assert.deepStrictEqual(document.series[0], null)
    assert.deepInclude(document.pieces[0], { vendor: "b", status: "Covered" })
    assert.deepInclude(document.pieces[0].refused[0], { vendor: "a", status: "Missing" })
  })

  it("plans them, and refuses what cannot stand side by side", () => {
    const plan = json(where, 0, ...bars("ACME", "--vendor", "b,a", "--plan"))
    assert.strictEqual(plan.plans[0].vendor, "b")
    const mixed = tapestry(where, ...bars("ACME", "--vendor", "a,adjusted"))
    assert.strictEqual(mixed.code, 1)
    assert.match(mixed.stderr, /adjustment is raw at a and all at adjusted; ask both for the same with --adjustment/)
    const twice = tapestry(where, ...bars("ACME", "--vendor", "a,a"))
    assert.strictEqual(twice.code, 2)
    assert.match(twice.stderr, /expected different vendors with commas between them/)
    const none = tapestry(where, ...bars("NOPE", "--vendor", "a,b"))
    assert.strictEqual(none.code, 3)
    assert.match(none.stderr, /not had: 2024-01-01 to 2024-01-04: a: .*; b: /)
  })
})
