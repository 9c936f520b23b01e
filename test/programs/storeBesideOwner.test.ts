/** `tapestry store` beside a server that has the data directory: what changes the store is done by the server, asked over its socket. */
import { assert, describe, it } from "@effect/vitest"
import { serving } from "./serving.ts"
import { json, ok, scratch, spx } from "./tapestry.ts"

const range = ["--from", "2019-01-01", "--to", "2019-07-01"]

describe("tapestry store beside a server", () => {
  it("migrates, stamps and drops through it, and the server goes on", async () => {
    const where = { cwd: scratch("beside") }
    const { rowCount } = json(where, 0, "bars", ...spx, ...range)
    assert.isAbove(rowCount, 100)
    const server = await serving(where)
    const version = Number(ok(where, "store", "version"))
    assert.deepInclude(json(where, 0, "store", "migrate"), { applied: [], version })
    assert.deepInclude(json(where, 0, "store", "stamp", String(version)), { recorded: [], done: false })
    const dry = json(where, 0, "store", "retention", "run", "bars", "--older-than", "1d")
    assert.deepInclude(dry, { rows: rowCount, done: false })
    assert.strictEqual(json(where, 0, "bars", ...spx, ...range, "--policy", "cacheOnly").rowCount, rowCount)
    const dropped = json(where, 0, "store", "retention", "run", "bars", "--older-than", "1d", "--apply")
    assert.deepInclude(dropped, { kind: "bar", rows: rowCount, done: true })
    assert.deepInclude(json(where, 0, "store", "status").kinds[0], { kind: "bar", rows: 0 })
    // The archive has it still, and nobody is asked again.
    assert.strictEqual((await fetch(`${server.http}/readyz`)).status, 200)
    server.child.kill("SIGTERM")
    const { code, stderr } = await server.end
    assert.strictEqual(code, 0)
    const asked = stderr.split("\n").filter((line) => line.includes('"tapestry.admin"'))
    assert.deepStrictEqual(
      asked.map((line) => [JSON.parse(line).procedure, JSON.parse(line).transport]),
      [
        ["Admin.migrate", "unix"],
        ["Admin.stamp", "unix"],
        ["Admin.start", "unix"]
      ]
    )
    // A dozen commands, one after the other.
  }, 120_000)
})
