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
    const beside = rowsOf(ok(where, "ticks", ...range(-130, -45)))
    assert.deepStrictEqual(beside.slice(beside.findIndex(({ ts }) => ts === wider[0].ts)).slice(0, wider.length), wider)
    assert.isTrue(Date.parse(beside.at(-1).ts) >= begun - 50_000)
    const quotes = rowsOf(ok(where, "ticks", ...range(-120, -110), "--kind", "quotes"))
    assert.isAbove(quotes.length, 100)
    assert.deepStrictEqual(
      quotes.map(({ ts }) => ts),
      first.filter(({ ts }) => Date.parse(ts) < begun - 110_000).map(({ ts }) => ts)
    )
    for (const { ask, bid } of quotes) assert.isBelow(bid, ask)
    server.child.kill("SIGTERM")
    await server.end
    const { imported } = json(where, 0, "rebuild", "--check")
    assert.deepStrictEqual(imported.problems, [])
    assert.strictEqual(imported.compared.length, 2)
  })

  it("shows what it would take, asks nobody where it may not, and sees what was known", () => {
    const where = simulated("ticks-plan")
    const plan = json(where, 0, "ticks", ...range(-60, -50), "--plan")
    assert.deepInclude(plan, { requests: 1, atLeast: true, waitMillis: 0 })
    assert.match(ok(where, "ticks", ...range(-60, -50), "--plan"), /at least 1 request to sim, no wait, each goes on/)
    assert.strictEqual(requests(where), 0)
    const nothing = tapestry(where, "ticks", ...range(-60, -50), "--policy", "cacheOnly")
    assert.deepStrictEqual([nothing.code, nothing.stdout], [3, ""])
    assert.match(nothing.stderr, /not had: .*not asked for yet/)
    const refused = tapestry(where, "ticks", ...range(-60, -50), "--policy", "cacheOnly", "--on-missing", "fail")
    assert.strictEqual(refused.code, 1)
    const rows = rowsOf(ok(where, "ticks", ...range(-60, -50)))
    assert.deepStrictEqual(rowsOf(ok(where, "ticks", ...range(-60, -50), "--policy", "cacheOnly")), rows)
    const before = tapestry(where, "ticks", ...range(-60, -50), "--as-of", at(-40))
    assert.deepStrictEqual([before.code, before.stdout], [3, ""])
    assert.deepStrictEqual(rowsOf(ok(where, "ticks", ...range(-60, -50), "--as-of", at(3_600))), rows)
    const whole = json(where, 0, "ticks", ...range(-70, -45), "--plan")
    assert.deepStrictEqual(
      whole.pieces.map(({ from, status }: { from: string; status: string }) => [from, status]),
      [
        ["vendor", "Missing"],
        ["store", "Covered"],
        ["vendor", "Missing"]
      ]
    )
    // What has just happened is waited for.
    assert.isAbove(rowsOf(ok(where, "ticks", "ALPHA", "--from", at(-45))).length, 500)
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
