/** Dead letters counted and replayed by the command line, over the built bundle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, tapestry, type Where } from "./tapestry.ts"

const letters = (count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const row = {
      vendor: "acme",
      symbol: "SPY",
      ts: new Date(1_700_000_000_000 + index).toISOString(),
      price: index === 3 ? "x" : 100 + (index % 7) / 8,
      size: index
    }
    const reason = index % 3 === 0 ? "the store was full" : "the processor was closed"
    return `${JSON.stringify({ at: "2026-11-30T09:00:00.000Z", reason, kind: "trade", row })}\n`
  }).join("")

const write = ({ cwd }: Where, text: string) => writeFileSync(join(cwd, "dead.ndjson"), text)
const trades = (where: Where) => ok(where, "dump", "trades", "-").split("\n").length - 1

describe("tapestry dead-letters", () => {
  it("90: counts them by reason, takes their rows, leaves what is refused again, and ends with 3 then", () => {
    const where = { cwd: scratch("dead-letters") }
    write(where, `${letters(10)}what is this\n`)
    const listed = tapestry(where, "dead-letters", "list", "dead.ndjson")
    assert.match(listed.stdout, /^kind +letters +first +last +reason\ntrade +6 .* the processor was closed\ntrade +4 /)
    assert.include(listed.stderr, "1 line of dead.ndjson could not be read as dead letters")
    const replayed = tapestry(where, "dead-letters", "replay", "dead.ndjson")
    assert.deepStrictEqual([replayed.code, replayed.stdout], [3, "11 letters: 9 new, 2 refused again\n"])
    assert.include(replayed.stderr, "2 letters left in dead.ndjson")
    assert.strictEqual(trades(where), 9)
    const left = readFileSync(join(where.cwd, "dead.ndjson"), "utf8").split("\n")
    assert.include(left[0], "what is this")
    assert.deepInclude(JSON.parse(left[1] ?? ""), {
      at: "2026-11-30T09:00:00.000Z",
      reason: "price is not a number: x",
      kind: "trade"
    })
    write(where, left.join("\n").replace('"price":"x"', '"price":101').replace("what is this\n", ""))
    assert.deepInclude(json(where, 0, "dead-letters", "replay", "dead.ndjson"), { letters: 1, inserted: 1, left: 0 })
    assert.isFalse(existsSync(join(where.cwd, "dead.ndjson")))
    assert.strictEqual(tapestry(where, "dead-letters", "replay", "dead.ndjson").code, 2)
    assert.strictEqual(tapestry(where, "dead-letters", "list", ".").code, 2)
  })

  for (const point of ["acknowledged", "midCommit", "afterCommit"]) {
    it(`killed at ${point}: no letter is lost, and no row is there twice`, () => {
      const where = { cwd: scratch("dead-letters-killed") }
      write(where, letters(3_000))
      const killed = tapestry(
        { ...where, env: { TAPESTRY_CRASH_POINT: point } },
        "dead-letters",
        "replay",
        "dead.ndjson"
      )
      assert.isNull(killed.code, killed.stderr)
      assert.strictEqual(readFileSync(join(where.cwd, "dead.ndjson.replaying"), "utf8"), letters(3_000))
      const listed = tapestry(where, "dead-letters", "list", "dead.ndjson")
      assert.include(listed.stderr, "a replay of this file broke off; run it again")
      assert.deepInclude(json(where, 3, "dead-letters", "replay", "dead.ndjson"), { letters: 3_000, left: 1 })
      assert.strictEqual(trades(where), 2_999)
      assert.strictEqual(readFileSync(join(where.cwd, "dead.ndjson"), "utf8").trimEnd().split("\n").length, 1)
    })
  }
})
