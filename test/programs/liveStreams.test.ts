/** `tapestry quotes` and `trades` as the built command line has them: alone, beside an owner, and when it dies. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { serving, until, watched } from "./serving.ts"
import { ok, scratch, shell, tapestry, type Where } from "./tapestry.ts"

const simulated = (name: string, more = ""): Where => {
  const where = { cwd: scratch(name) }
  writeFileSync(join(where.cwd, "tapestry.yaml"), `vendors:\n  sim:\n    adapter: simulated\n    rate: 20\n${more}`)
  return where
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line))
const rowsIn = (text: string, event: string) => linesOf(text).filter((line) => line.event === event)

describe("tapestry quotes and trades", () => {
  it("in a pipe: one JSON object a line, rows and words, until there are enough", () => {
    const where = simulated("live-pipe")
    const lines = linesOf(ok(where, "quotes", "ALPHA", "beta", "--count", "20"))
    assert.deepInclude(lines[0], { event: "Started" })
    assert.deepStrictEqual(
      [
        ...new Set(
          lines.filter(({ event }) => event === "DataType").map(({ dataType, symbol }) => `${symbol} ${dataType}`)
        )
      ].sort(),
      ["ALPHA simulated", "BETA simulated"]
    )
    const quotes = lines.filter(({ event }) => event === "Quotes")
    assert.isAtLeast(quotes.length, 20)
    for (const { ask, bid, ts } of quotes) {
      assert.isBelow(bid, ask)
      assert.match(ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
    }
    const [book] = rowsIn(ok(where, "depth", "gamma", "--count", "1"), "Depth")
    assert.strictEqual(book.bids.length, 5)
    assert.isBelow(book.bids[0][0], book.asks[0][0])
    const [deep] = rowsIn(ok(where, "depth", "gamma", "--count", "1", "--rows", "12"), "Depth")
    assert.deepStrictEqual([deep.bids.length, deep.asks.length], [12, 12])
    for (const rows of ["0", "61", "x"]) {
      const refused = tapestry(where, "depth", "gamma", "--rows", rows)
      assert.strictEqual(refused.code, 2)
      assert.match(refused.stderr, /--rows/)
    }
    assert.strictEqual(shell(where, "tapestry trades ALPHA | head -n 5 | wc -l").stdout.trim(), "5")
  })

  it("an account: positions, figures and profit, once, that agree with each other", () => {
    const where = simulated("live-portfolio")
    const text = ok(where, "portfolio", "--once")
    const held = rowsIn(text, "Portfolio")
    assert.deepStrictEqual([...new Set(held.map(({ symbol }) => symbol))].sort(), ["ALPHA", "BETA", "GAMMA"])
    const figures = new Map(rowsIn(text, "Account").map(({ tag, value }) => [tag, Number(value)]))
    assert.isAbove(figures.get("NetLiquidation") ?? 0, 0)
    for (const { averageCost, marketPrice, marketValue, position, unrealized } of held) {
      assert.closeTo(marketPrice * position, marketValue, 0.01)
      assert.closeTo(marketValue - averageCost * position, unrealized, 0.02)
    }
    assert.deepStrictEqual(
      rowsIn(text, "SnapshotComplete")
        .map(({ kind }) => kind)
        .sort(),
      ["account", "pnl", "portfolio"]
    )
    const [total, ...others] = rowsIn(text, "Pnl").filter(({ symbol }) => symbol === null)
    assert.strictEqual(total.account, "SIM1000001", `${others.length} more`)
    const refused = tapestry(where, "portfolio", "U1")
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stderr, /no account U1; there is: SIM1000001/)
  })

  it("trades come in order, none twice, to two commands at once over one owner's upstream", async () => {
    const where = simulated("live-owner")
    const server = await serving(where)
    const both = [watched(where, "trades", "ALPHA"), watched(where, "trades", "ALPHA")] as const
    const sequencesOf = (text: string): ReadonlyArray<number> =>
      rowsIn(text, "Trades")
        .filter(({ snapshot }) => snapshot !== true)
        .map(({ sequence }) => sequence)
    const [first, second] = both
    await until(() => sequencesOf(second.stdout()).length > 10 && sequencesOf(first.stdout()).length > 10, first.stderr)
    for (const { child } of both) child.kill("SIGINT")
    const ends = await Promise.all(both.map(({ end }) => end))
    const told = ends.map(({ code, stderr, stdout }) => {
      assert.strictEqual(code, 130, stderr)
      return sequencesOf(stdout)
    })
    for (const sequences of told) {
      assert.isAtLeast(sequences.length, 10)
      assert.deepStrictEqual(
        sequences,
        [...new Set(sequences)].sort((a, b) => a - b)
      )
    }
    const [one = [], two = []] = told
    const from = Math.max(one[0] ?? 0, two[0] ?? 0)
    const to = Math.min(one.at(-1) ?? 0, two.at(-1) ?? 0)
    const common = (sequences: ReadonlyArray<number>) =>
      sequences.filter((sequence) => from <= sequence && sequence <= to)
    assert.isAbove(common(one).length, 0)
    assert.deepStrictEqual(common(one), common(two))
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)
  })

  it("an owner that is killed is told, and the command ends with 1", async () => {
    const where = simulated("live-killed")
    const server = await serving(where)
    const trades = watched(where, "trades", "ALPHA")
    await until(() => rowsIn(trades.stdout(), "Trades").length > 5, trades.stderr)
    server.child.kill("SIGKILL")
    const { code, stderr } = await trades.end
    assert.strictEqual(code, 1)
    assert.match(stderr, /the process that these streams come from went away/)
  })

  it("Ctrl-C ends it at once, with 130 and nothing on standard error", async () => {
    const where = simulated("live-interrupted")
    const quotes = watched(where, "quotes", "ALPHA")
    await until(() => rowsIn(quotes.stdout(), "Quotes").length > 3, quotes.stderr)
    quotes.child.kill("SIGINT")
    const { code, stderr } = await quotes.end
    assert.strictEqual(code, 130)
    assert.strictEqual(stderr, "")
  })

  it("what cannot be meant is said", () => {
    const none = { cwd: scratch("live-none") }
    const without = tapestry(none, "quotes", "ALPHA")
    assert.strictEqual(without.code, 2)
    assert.match(without.stderr, /no vendor of the configuration streams/)
    const several = tapestry(simulated("live-several", "  other:\n    adapter: simulated\n"), "trades", "ALPHA")
    assert.strictEqual(several.code, 2)
    assert.match(several.stderr, /several vendors stream \(other, sim\); say which with --vendor/)
    const where = simulated("live-mistakes")
    assert.match(tapestry(where, "quotes", "NOBODY").stderr, /sim: no symbol NOBODY/)
    assert.match(tapestry(where, "quotes", "ALPHA", "--vendor", "sample").stderr, /sample cannot stream/)
    assert.strictEqual(tapestry(where, "quotes", "ALPHA", "--count", "0").code, 2)
    writeFileSync(join(where.cwd, "tapestry.yaml"), "vendors:\n  sim:\n    adapter: simulated\n    rate: fast\n")
    const wrong = tapestry(where, "quotes", "ALPHA")
    assert.notStrictEqual(wrong.code, 0)
    assert.match(wrong.stderr, /rate.*trades a second/)
  })
})
