/** Data directories that are no answer to "what is stored": they are errors, never an empty list. */
import { spawnSync } from "node:child_process"
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ensureBundle } from "../support/bundle.ts"
import { canBecomeNobody, nobody, withoutNobody } from "../support/otherUser.ts"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const july = ["--from", "2008-07-01", "--to", "2008-08-01"]

const reads: ReadonlyArray<ReadonlyArray<string>> = [
  ["series", "list"],
  ["archive", "verify"],
  ["bars", ...spx, ...july, "--policy", "cacheOnly"],
  ["doctor"]
]

describe("a data directory", () => {
  it("that is a file is an error of every command that reads", () => {
    const where = { cwd: scratch("directory-file") }
    writeFileSync(join(where.cwd, "file"), "")
    for (const args of reads) {
      const run = tapestry(where, ...args, "--data-dir", "file")
      assert.strictEqual(run.code, 1, args.join(" "))
      assert.match(run.stdout + run.stderr, /data directory.*is it a directory\? choose another with --data-dir/)
    }
  })

  it("without its market.sqlite is not empty: verify does not say that all is well", () => {
    const where = { cwd: scratch("directory-half") }
    ok(where, "bars", ...spx, ...july)
    rmSync(join(where.cwd, ".tapestry", "market.sqlite"))
    for (const args of reads) {
      const run = tapestry(where, ...args)
      assert.strictEqual(run.code, 1, args.join(" "))
      assert.match(run.stdout + run.stderr, /market\.sqlite/)
    }
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22, "it is made again from the archive")
    assert.strictEqual(tapestry(where, "archive", "verify").code, 0)
  })

  it("whose archive was lost is refused: rows are never explained by the answers of another archive", () => {
    const where = { cwd: scratch("directory-archive-lost") }
    ok(where, "bars", ...spx, ...july)
    for (const file of ["provenance.sqlite", "provenance.sqlite-wal", "provenance.sqlite-shm"]) {
      rmSync(join(where.cwd, ".tapestry", file), { force: true })
    }
    for (const from of ["2008-07-01", "2008-08-01"]) {
      const run = tapestry(where, "bars", ...spx, "--from", from, "--to", "2008-09-01")
      assert.strictEqual(run.code, 1)
      assert.match(run.stderr, /refers to response 1, and the archive there ends at 0: it was lost or replaced/)
    }
    assert.strictEqual(tapestry(where, "archive", "verify").code, 1)
    rmSync(join(where.cwd, ".tapestry", "market.sqlite"))
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22)
  })

  it("with a database that is none says what to do about it, and loses nothing by it", () => {
    const where = { cwd: scratch("directory-corrupt") }
    ok(where, "bars", ...spx, ...july)
    for (const [name, remedy] of [
      ["quota.sqlite", /move the file away when nothing was sent/],
      ["market.sqlite", /move [^\n]*market\.sqlite away: it is made again from the archive/],
      ["provenance.sqlite", /put the data directory back from a copy/]
    ] as const) {
      const file = join(where.cwd, ".tapestry", name)
      const sound = readFileSync(file)
      writeFileSync(file, "this is no database, and long enough to be looked at as one".repeat(20))
      const run = tapestry(where, "bars", ...spx, ...july)
      assert.strictEqual(run.code, 1, name)
      assert.match(run.stderr, remedy)
      writeFileSync(file, sound)
    }
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).requests, 0)
  })

  it("that cannot be made is an error that ends", () => {
    const where = { cwd: scratch("directory-nowhere") }
    writeFileSync(join(where.cwd, "file"), "")
    for (const directory of ["/proc/tapestry", "file", "file/below"]) {
      const run = tapestry(where, "bars", ...spx, ...july, "--data-dir", directory)
      assert.strictEqual(run.code, 1, directory)
      assert.match(
        run.stderr,
        /^error: the data directory [^\n]*cannot be made: [^\n]*choose another with --data-dir\n$/
      )
    }
  })

  withoutNobody(1, "a data directory that this user may not read")
  it.skipIf(!canBecomeNobody)("that this user may not look into is an error of every command that reads", () => {
    const where = { cwd: scratch("directory-closed") }
    ok(where, "bars", ...spx, ...july)
    chmodSync(where.cwd, 0o755)
    chmodSync(join(where.cwd, ".tapestry"), 0o700)
    for (const args of reads) {
      const run = spawnSync(process.execPath, [ensureBundle(), ...args], {
        cwd: where.cwd,
        env: { PATH: process.env.PATH, TMPDIR: "/tmp" },
        encoding: "utf8",
        ...nobody
      })
      assert.strictEqual(run.status, 1, args.join(" "))
      assert.match(run.stdout + run.stderr, /may not be read by this user; give it the right/)
    }
  })
})

describe("a name that is left empty", () => {
  const where = { cwd: scratch("empty-names") }
  for (const [flag, args] of [
    ["--data-dir", ["series", "list"]],
    ["--config", ["vendors", "list"]],
    ["--out", ["bars", ...spx, ...july]]
  ] as const) {
    it(`${flag} '' is wrong usage`, () => {
      const run = tapestry(where, ...args, flag, "")
      assert.strictEqual(run.code, 2)
      assert.strictEqual(run.stdout, "")
      assert.include(run.stderr, `error: ${flag} is empty`)
    })
  }
})

describe("the file of --out", () => {
  const where = { cwd: scratch("out-names") }

  it("of an unknown ending needs --format, so that nobody reads a table for something else", () => {
    const run = tapestry(where, "bars", ...spx, ...july, "--out", "spx.parquet")
    assert.strictEqual(run.code, 2)
    assert.match(run.stderr, /--out spx\.parquet: its ending says none of table, csv, ndjson; add --format/)
    ok(where, "bars", ...spx, ...july, "--out", "spx.data", "--format", "csv")
    ok(where, "bars", ...spx, ...july, "--out", "report")
  })

  it("that only its owner may read stays one", () => {
    const file = join(where.cwd, "private.csv")
    writeFileSync(file, "", { mode: 0o600 })
    ok(where, "bars", ...spx, ...july, "--out", "private.csv")
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
  })

  const device = "/dev/full"
  it.skipIf(process.platform !== "linux")("on a full disk says so and what to do", () => {
    const run = tapestry(where, "bars", ...spx, ...july, "--out", device, "--format", "csv")
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, /\/dev\/full cannot be written: the disk is full; free some space/)
  })
})
