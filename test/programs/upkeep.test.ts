/** `archive gc`, `archive compact`, `backup` and `restore` as commands: on a data directory by themselves, and beside its owner. */
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect } from "effect"
import { makeOlder } from "../layers/maintenance/olderArchive.ts"
import { serving } from "./serving.ts"
import { json, ok, scratch, spx, tapestry, type Where } from "./tapestry.ts"

const template = { cwd: scratch("upkeep") }
const july = ["--from", "2008-07-01", "--to", "2008-08-01"]
const august = ["--from", "2008-08-01", "--to", "2008-09-01"]
const days = 86_400_000

/**
 * Makes everything in the archive so much older, for what is younger than an hour is never collected; and in the store, which knows when
 * its answers came.
 */
const aged = (where: Where, millis: number) => {
  const market = new Database(join(where.cwd, ".tapestry/market.sqlite"))
  for (const table of ["applied", "answers", "coverage"]) {
    market.exec(`update ${table} set fetched_at = fetched_at - ${millis}`)
  }
  market.close()
  const db = new Database(join(where.cwd, ".tapestry/provenance.sqlite"))
  db.exec(`update responses set asked_at = asked_at - ${millis}, fetched_at = fetched_at - ${millis}`)
  db.exec(`update requests set created_at = created_at - ${millis}`)
  db.exec(`update sessions set started_at = started_at - ${millis}, ended_at = ended_at - ${millis}`)
  db.close()
}

const copy = (name: string): Where => {
  const where = { cwd: join(template.cwd, name) }
  mkdirSync(where.cwd)
  cpSync(join(template.cwd, ".tapestry"), join(where.cwd, ".tapestry"), { recursive: true })
  return where
}

/** All that must be the same before and after, whoever did what. */
const seen = (where: Where) => [
  json(where, 0, "bars", ...spx, ...july),
  json(where, 0, "explain", ...spx, "--at", "2008-07-15"),
  json(where, 0, "coverage", ...spx, ...july),
  json(where, 0, "archive", "verify").bad
]

beforeAll(() => {
  ok(template, "bars", ...spx, ...july)
  // Two refetches that change nothing: rows point to the first answer, coverage to the last, nothing to the one between.
  for (const policy of ["force", "force"]) ok(template, "bars", ...spx, ...july, "--policy", policy)
  aged(template, 90 * days)
  ok(template, "bars", ...spx, ...august)
})

/** What each command does, alone or through the process that serves the directory. */
const upkeep = (where: Where) => {
  const before = seen(where)
  const dry = json(where, 0, "archive", "gc")
  assert.deepInclude(dry, { applied: false, responses: 1, keptByReference: 2 })
  assert.match(ok(where, "archive", "gc"), /--apply/)
  assert.deepInclude(json(where, 0, "archive", "gc", "--older-than", "100d"), { applied: false, responses: 0 })
  assert.strictEqual(json(where, 0, "archive", "responses").responses.length, 4, "a dry run removes nothing")
  assert.deepInclude(json(where, 0, "archive", "gc", "--older-than", "30d", "--apply"), { applied: true, responses: 1 })
  assert.deepInclude(json(where, 0, "archive", "gc", "--apply"), { applied: true, responses: 0 })
  assert.deepStrictEqual(
    json(where, 0, "archive", "responses").responses.map(({ id }: { id: number }) => id),
    [4, 3, 1]
  )
  assert.deepStrictEqual(seen(where), before)
  assert.strictEqual(tapestry(where, "archive", "gc", "--older-than", "soon").code, 2)

  assert.deepInclude(json(where, 0, "archive", "compact"), { damaged: 0 })
  assert.deepStrictEqual(seen(where), before)
  assert.isFalse(
    readdirSync(join(where.cwd, ".tapestry/responses"), { recursive: true, encoding: "utf8" }).some((name) =>
      name.endsWith(".bin")
    )
  )

  assert.match(ok(where, "backup", "kept"), /^backed \.tapestry up to kept: 3 databases/)
  ok(where, "backup", "kept")
  assert.match(ok(where, "restore", "kept", "--data-dir", "again"), /^restored again as of .*verified\n$/)
  const restored = (...args: ReadonlyArray<string>) => json(where, 0, ...args, "--data-dir", "again")
  assert.deepStrictEqual(restored("bars", ...spx, ...july), before[0])
  assert.deepStrictEqual(restored("archive", "verify").bad, [])
  assert.deepStrictEqual(restored("archive", "responses"), json(where, 0, "archive", "responses"))
  const refused = tapestry(where, "restore", "kept", "--data-dir", "again")
  assert.strictEqual(refused.code, 1)
  assert.match(refused.stderr, /^error: [^\n]*--overwrite[^\n]*\n$/)
  ok(where, "restore", "kept", "--data-dir", "again", "--overwrite")
  assert.strictEqual(restored("bars", ...spx, ...august).rowCount, 21)
}

describe("upkeep of a data directory", () => {
  it("alone", async () => {
    const where = copy("alone")
    await Effect.runPromise(makeOlder(join(where.cwd, ".tapestry")))
    upkeep(where)
  }, 120_000)

  it("beside its owner, which goes on serving", async () => {
    const where = copy("served")
    await Effect.runPromise(makeOlder(join(where.cwd, ".tapestry")))
    const server = await serving(where)
    upkeep(where)
    const overwritten = tapestry(where, "restore", "kept", "--overwrite")
    assert.strictEqual(overwritten.code, 1, "a directory that somebody owns is not replaced")
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22)
    assert.strictEqual(server.child.exitCode, null)
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0, server.stderr())
    assert.isFalse(existsSync(join(where.cwd, ".tapestry/owner.sock")))
  }, 120_000)
})
