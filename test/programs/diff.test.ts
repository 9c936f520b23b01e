/** What a vendor changed, as the command line tells it: a file that is edited between two fetches. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, tapestry } from "./tapestry.ts"

const where = { cwd: scratch("diff") }
const file = (text: string) => writeFileSync(join(where.cwd, "AAA.csv"), `date,open,high,low,close,volume\n${text}`)
writeFileSync(
  join(where.cwd, "tapestry.yaml"),
  [
    "sample: false",
    "vendors:",
    "  mine:",
    "    adapter: file",
    "    root: .",
    "    path: '{SYMBOL}.csv'",
    "    timeframe: 1d",
    "    columns: { ts: date }",
    ""
  ].join("\n")
)
const aaa = ["AAA", "--vendor", "mine", "--timeframe", "1d"]
const week = ["--from", "2024-01-01", "--to", "2024-01-08"]

file("2024-01-02,1,2,0.5,1.5,100\n2024-01-03,2,3,1.5,2.5,200\n2024-01-04,3,4,2.5,3.5,300\n")
ok(where, "bars", ...aaa, ...week)
file("2024-01-02,1,2,0.5,1.5,100\n2024-01-03,2,3,1.5,2.75,250\n2024-01-05,4,5,3.5,4.5,400\n")
ok(where, "bars", ...aaa, ...week, "--policy", "force")

describe("tapestry diff", () => {
  it("names rows added, withdrawn and changed, with both values and both answers, and ends with 3", () => {
    const { code, stdout } = tapestry(where, "diff", ...aaa, "--between", "1", "2")
    assert.strictEqual(code, 3, stdout)
    const lines = stdout.split("\n")
    assert.match(lines[0] ?? "", /^AAA 1d from mine, 2024-01-01 to 2024-01-08$/)
    assert.match(stdout, /2024-01-03 {2}changed .*2\.5 → 2\.75.*200 → 250 .*#1 of \S+Z {2}#2 of \S+Z/)
    assert.match(stdout, /2024-01-04 {2}withdrawn .*#1 of \S+Z {2}#2 of/)
    assert.match(stdout, /2024-01-05 {2}added .*#1 of \S+Z {2}#2 of/)
    assert.notMatch(stdout, /2024-01-02/)
    assert.strictEqual(lines.at(-2), "1 added, 1 withdrawn, 1 changed")
  })

  it("ends with 0 when nothing was changed", () => {
    assert.match(ok(where, "diff", ...aaa, "--between", "2", "2030-01-01"), /nothing was changed\n$/)
    assert.match(ok(where, "diff", ...aaa, ...week, "--between", "2000-01-01,2030-01-01"), /nothing was changed\n$/)
  })

  it("prints one document for programs", () => {
    const document = json(where, 3, "diff", ...aaa, ...week, "--between", "1,2")
    assert.deepInclude(document, { added: 1, withdrawn: 1, changed: 1, unknown: 0 })
    assert.deepStrictEqual(document.range, { start: "2024-01-01T00:00:00.000Z", end: "2024-01-08T00:00:00.000Z" })
    const [changed] = document.rows
    assert.deepInclude(changed, { ts: "2024-01-03T00:00:00.000Z", kind: "changed" })
    assert.deepStrictEqual([changed.before.bar.close, changed.after.bar.close], [2.5, 2.75])
    assert.deepStrictEqual([changed.before.response, changed.after.response], [1, 2])
  })

  it("refuses what are not two instants", () => {
    for (const [args, message] of [
      [["--between", "2024-01-01"], /takes two instants/],
      [["--between", "2024-01-02,2024-01-01"], /is reversed/],
      [["--between", "yesterday,2024-01-01"], /yesterday/]
    ] as const) {
      const { code, stderr, stdout } = tapestry(where, "diff", ...aaa, ...args)
      assert.deepStrictEqual([code, stdout], [2, ""])
      assert.match(stderr, message)
    }
    const unknown = tapestry(where, "diff", ...aaa, "--between", "1,99")
    assert.strictEqual(unknown.code, 1)
    assert.match(unknown.stderr, /no response 99/)
  })
})
