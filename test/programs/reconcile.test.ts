/** `tapestry reconcile` between two vendors made of files. */
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, scratch, tapestry } from "./tapestry.ts"

const header = "date,open,high,low,close,volume"
const ours = `${header}
2024-01-02,10,11,9,10.5,1000
2024-01-03,10,11,9,10.25,1000
2024-01-04,10,11,9,10.5,1000
2024-01-05,10,11,9,10.5,1000
`
const theirs = `${header}
2024-01-02,10,11,9,10.5,1000
2024-01-03,10,11,9,10.26,1020
2024-01-05,10,11,9,10.5,2000
`

const vendor = (name: string) => `  ${name}:
    adapter: file
    root: ${name}
    path: "{symbol}.csv"
    timeframe: 1d
    columns: { ts: date }
`

const where = (() => {
  const cwd = scratch("reconcile")
  for (const [name, text] of [
    ["ours", ours],
    ["theirs", theirs]
  ] as const) {
    mkdirSync(join(cwd, name))
    writeFileSync(join(cwd, name, "acme.csv"), text)
    writeFileSync(join(cwd, name, "same.csv"), ours)
  }
  writeFileSync(join(cwd, "tapestry.yaml"), `sample: false\nvendors:\n${vendor("ours")}${vendor("theirs")}`)
  return { cwd }
})()

const range = ["--timeframe", "1d", "--from", "2024-01-01", "--to", "2024-01-06"]

describe("tapestry reconcile", () => {
  it("prints what disagrees, counts it by field and ends with 3", () => {
    const run = tapestry(where, "reconcile", "ACME", "--vendors", "ours,theirs", ...range)
    assert.strictEqual(run.code, 3, run.stderr)
    assert.deepStrictEqual(run.stdout.trimEnd().split("\n"), [
      "date (UTC)  field    ours  theirs  difference",
      "2024-01-03  close   10.25   10.26     0.0976%",
      "2024-01-03  volume   1000    1020     2.0000%",
      "2024-01-04  row      10.5  no row",
      "2024-01-05  volume   1000    2000   100.0000%",
      "4 rows compared, 3 differ: close 1, volume 2, only ours 1"
    ])
  })

  it("takes tolerances by field, and ends with 0 where nothing is left", () => {
    const tolerance = ["--tolerance", "price=0.02,volume=5%"]
    const document = json(where, 3, "reconcile", "ACME", "--vendors", "ours,theirs", ...range, ...tolerance)
    assert.deepInclude(document, {
      rows: 4,
      mismatched: 2,
      mismatches: { row: 1, volume: 1 },
      onlyLeft: 1,
      onlyRight: 0
    })
    assert.deepStrictEqual(document.tolerances, {
      open: "0.02",
      high: "0.02",
      low: "0.02",
      close: "0.02",
      volume: "5%"
    })
    const same = tapestry(where, "reconcile", "SAME", "--vendors", "ours,theirs", ...range)
    assert.strictEqual(same.code, 0, same.stderr)
    assert.strictEqual(same.stdout, "4 rows compared, no difference\n")
    const other = tapestry(where, "reconcile", "SAME", "--vendors", "ours,theirs:ACME", ...range)
    assert.strictEqual(other.code, 3, other.stderr)
  })

  it("says what is wrong with its arguments", () => {
    const wrong = (...words: ReadonlyArray<string>) => {
      const run = tapestry(where, "reconcile", "ACME", ...range, ...words)
      assert.strictEqual(run.code, 2, run.stderr)
      assert.strictEqual(run.stdout, "")
      return run.stderr
    }
    assert.match(wrong("--vendors", "ours"), /expected two vendors, such as/)
    assert.match(
      wrong("--vendors", "ours,theirs", "--tolerance", "clsoe=1"),
      /there is no field "clsoe"; fields: price open/
    )
    assert.match(wrong("--vendors", "ours,theirs", "--tolerance", "close=a lot"), /"a lot" is no tolerance/)
    const twice = tapestry(where, "reconcile", "ACME", ...range, "--vendors", "ours,ours")
    assert.strictEqual(twice.code, 1)
    assert.match(twice.stderr, /^error: the two series cannot be compared: they are the same series\n$/)
    const unknown = tapestry(where, "reconcile", "ACME", ...range, "--vendors", "ours,their")
    assert.strictEqual(unknown.code, 1)
    assert.match(unknown.stderr, /no vendor named their; known: ours, theirs/)
  })
})
