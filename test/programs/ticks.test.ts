/** `tapestry ticks` as the built command line has it. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { serving } from "./serving.ts"
import { json, ok, scratch, tapestry, type Where } from "./tapestry.ts"

const simulated = (name: string): Where => {
  const where = { cwd: scratch(name) }
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    "dataDir: data\nvendors:\n  sim:\n    adapter: simulated\n    rate: 20\n"
  )
  return where
}

const begun = Math.floor(Date.now() / 1_000) * 1_000
const at = (seconds: number) => new Date(begun + seconds * 1_000).toISOString()
const range = (from: number, to: number) => ["ALPHA", "--from", at(from), "--to", at(to)]
const rowsOf = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))

const requests = (where: Where): number =>
  json(where, 0, "archive", "requests", "--limit", "100").requests.filter(
    ({ outcome }: { outcome: string }) => outcome === "fetched"
  ).length

describe("tapestry ticks", () => {
  it("has the trades of a range, asks for each once, also beside an owner, and they are rebuilt", async () => {
    const where = simulated("ticks")
    const first = rowsOf(ok(where, "ticks", ...range(-120, -60)))
    assert.isAbove(first.length, 500)
    for (const { symbol, ts } of first) {
      assert.strictEqual(symbol, "ALPHA")
      assert.isTrue(Date.parse(ts) >= begun - 120_000 && Date.parse(ts) < begun - 60_000)
    }
    const asked = requests(where)
    assert.isAbove(asked, 1)
    assert.deepStrictEqual(rowsOf(ok(where, "ticks", ...range(-120, -60))), first)
    assert.deepStrictEqual(rowsOf(ok(where, "ticks", ...range(-100, -80))).length < first.length, true)
    assert.strictEqual(requests(where), asked)
    const wider = rowsOf(ok(where, "ticks", ...range(-120, -50)))
    assert.deepStrictEqual(wider.slice(0, first.length), first)
    assert.isAbove(wider.length, first.length)
    const server = await serving(where)
    assert.deepStrictEqual(rowsOf(ok(where, "ticks", ...range(-120, -50))), wider)
    server.child.kill("SIGTERM")
    await server.end
    const { imported } = json(where, 0, "rebuild", "--check")
    assert.deepStrictEqual(imported.problems, [])
    assert.strictEqual(imported.compared.length, 1)
  })

  it("what cannot be meant is said", () => {
    const where = simulated("ticks-mistakes")
    const future = tapestry(where, "ticks", ...range(-10, 3_600))
    assert.strictEqual(future.code, 2)
    assert.match(future.stderr, /is in the future/)
    assert.match(tapestry(where, "ticks", "NOBODY", ...range(-20, -10).slice(1)).stderr, /no symbol NOBODY/)
    assert.strictEqual(tapestry(where, "ticks", "ALPHA").code, 2)
  })
})
