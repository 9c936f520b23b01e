/** What `doctor` says of a data directory that is not well. */
import { renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

describe("doctor", () => {
  it("looks at the owner and at the log of spent quota, and leaves both as they are", () => {
    const where = { cwd: scratch("doctor") }
    const names = (checks: ReadonlyArray<{ name: string; result: string }>) =>
      checks.filter(({ name }) => name === "owner" || name === "quota").map(({ name, result }) => `${name} ${result}`)
    assert.deepStrictEqual(names(json(where, 0, "doctor").checks), ["owner ok"], "nothing is made by looking")
    ok(where, "bars", ...spx, "--from", "2008-07-01", "--to", "2008-08-01")
    assert.deepStrictEqual(names(json(where, 0, "doctor").checks), ["owner ok", "quota ok"])
    writeFileSync(join(where.cwd, ".tapestry", "quota.sqlite"), "this is no database".repeat(100))
    const run = tapestry(where, "doctor")
    assert.strictEqual(run.code, 1)
    assert.match(run.stdout, /fail +quota +the log of spent quota cannot be kept.*move the file away/)
  })

  it("names what a restore that was broken off has set aside", () => {
    const where = { cwd: scratch("doctor-aside") }
    ok(where, "bars", ...spx, "--from", "2008-07-01", "--to", "2008-08-01")
    const [dataDir, aside] = [join(where.cwd, ".tapestry"), join(where.cwd, ".tapestry.replaced-77")]
    renameSync(dataDir, aside)
    assert.match(
      ok(where, "doctor"),
      new RegExp(`warn +data directory +what a restore .* is in ${aside}: restore again, or rename it`)
    )
    ok(where, "bars", ...spx, "--from", "2008-07-01", "--to", "2008-08-01")
    assert.match(ok(where, "doctor"), new RegExp(`warn +data directory +an earlier one is still in ${aside}`))
  })
})
