/** An import that is killed wherever it happens to be, again and again, by its own process, into either store. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Result } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { collected, json, ok, scratch, start } from "./tapestry.ts"

const rows = 60_000

const tape = (): string => {
  const lines = ["ts,venue,sequence,price,size"]
  for (let index = 0; index < rows; index++) {
    const second = new Date(1_700_000_000_000 + Math.floor(index / 50) * 1_000).toISOString().slice(0, 19)
    lines.push(
      `${second}.${String(index % 50).padStart(9, "0")}Z,XNAS,${index},${100 + (index % 7) / 8},${index % 100}`
    )
  }
  return `${lines.join("\n")}\n`
}

const killedAndContinued = async (store: ReadonlyArray<string>) => {
  const where = { cwd: scratch("ingest-kill-9") }
  writeFileSync(join(where.cwd, "tape.csv"), tape())
  const args = ["ingest", "trades", "tape.csv", "--vendor", "acme", "--symbol", "SPY", ...store] as const
  const archive = join(where.cwd, ".tapestry", "provenance.sqlite")
  /** Segments that are archived; none before there is a table of them. */
  const archived = (): number =>
    Result.getOrElse(
      Result.try(() => {
        const db = new Database(archive, { readonly: true, fileMustExist: true })
        const { count } = db.prepare("select count(*) as count from responses").get() as { readonly count: number }
        db.close()
        return count
      }),
      () => 0
    )
  let kills = 0
  for (let run = 0; run < 3; run++) {
    const before = archived()
    const child = start(where, ...args)
    const output = collected(child)
    while (archived() < before + 1 && child.exitCode === null) await setTimeout(5)
    // How far it is in the one under way differs from run to run.
    await setTimeout((17 * run) % 50)
    child.kill("SIGKILL")
    const { code, signal } = await output.end
    if (code === 0) break
    assert.strictEqual(signal, "SIGKILL", output.stderr())
    kills++
  }
  assert.isAbove(kills, 0)
  const done = json(where, 0, ...args)
  assert.deepInclude(done, { rows, rejected: 0, updated: 0, unchanged: 0 })
  assert.strictEqual(done.inserted + done.known, rows)
  assert.deepInclude(json(where, 0, ...args), { rows, inserted: 0, known: rows })
  assert.strictEqual(ok(where, "dump", "trades", "-", ...store).split("\n").length, rows + 1)
  assert.deepStrictEqual(json(where, 0, "archive", "verify", ...store).bad, [])
  const { imported } = json(where, 0, "rebuild", "--check", ...store)
  assert.deepInclude(imported.compared[0], { stored: rows, rebuilt: rows, rows: 0, revisions: 0 })
  console.log(`${kills} kills, ${done.known} rows known from before them, ${done.inserted} inserted by the last run`)
}

describe("72: an import that is killed with SIGKILL goes on where it was", () => {
  it("into the embedded store", () => killedAndContinued([]), 180_000)

  it.live(
    "into PostgreSQL",
    () => Effect.flatMap(bareDatabase, (url) => Effect.promise(() => killedAndContinued(["--store", url]))),
    180_000
  )
})
