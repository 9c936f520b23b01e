/** Rows taken from files and written to files by the command line, over the built bundle. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { DateDay, Float64, Table, tableToIPC, vectorFromArray } from "apache-arrow"
import Database from "better-sqlite3"
import { json, ok, scratch, shell, tapestry, type Where } from "./tapestry.ts"

const tape = (rows: number): string => {
  const lines = ["ts,venue,sequence,price,size"]
  for (let index = 0; index < rows; index++) {
    const second = new Date(1_700_000_000_000 + Math.floor(index / 50) * 1_000).toISOString().slice(0, 19)
    lines.push(
      `${second}.${String(index % 50).padStart(9, "0")}Z,XNAS,${index},${100 + (index % 7) / 8},${index % 100}`
    )
  }
  return `${lines.join("\n")}\n`
}

const of = ["--vendor", "acme", "--symbol", "spy"] as const
const write = ({ cwd }: Where, name: string, text: string | Uint8Array) => writeFileSync(join(cwd, name), text)

describe("tapestry ingest and dump", () => {
  it("71, 77: CSV, gzip, zstd and standard input give the same rows; dump gives them back and ingest takes that", () => {
    const where = { cwd: scratch("ingest") }
    const text = tape(30_000)
    write(where, "tape.csv", text)
    write(where, "tape.csv.gz", gzipSync(text))
    write(where, "tape.csv.zst", zstdCompressSync(text))
    const dumps = ["tape.csv", "tape.csv.gz", "tape.csv.zst"].map((file) => {
      const done = json(where, 0, "ingest", "trades", file, ...of, "--data-dir", file.replaceAll(".", "-"))
      assert.deepInclude(done, { kind: "trade", rows: 30_000, inserted: 30_000, rejected: 0, bytes: text.length })
      return ok(where, "dump", "trades", "-", "--data-dir", file.replaceAll(".", "-"))
    })
    const piped = shell(
      where,
      `cat tape.csv.gz | tapestry ingest trades - --format csv ${of.join(" ")} --data-dir piped --json`
    )
    assert.strictEqual(JSON.parse(piped.stdout).inserted, 30_000, piped.stderr)
    dumps.push(ok(where, "dump", "trades", "-", "--data-dir", "piped"))
    assert.strictEqual(new Set(dumps).size, 1)
    assert.strictEqual(dumps[0]?.split("\n").length, 30_001)
    ok(where, "dump", "trades", "back.csv", "--data-dir", "piped")
    ok(where, "ingest", "trades", "back.csv", "--data-dir", "again")
    assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", "again"), dumps[0])
  })

  it("77: restore KIND is ingest, with every flag of it; a directory is a backup, also one that is called as a kind", () => {
    const where = { cwd: scratch("restore") }
    write(where, "tape.csv", tape(2_000))
    ok(where, "ingest", "trades", "tape.csv", ...of, "--data-dir", "first")
    const before = ok(where, "dump", "trades", "-", "--data-dir", "first")
    ok(where, "dump", "trades", "tape.ndjson", "--data-dir", "first")
    const taken = json(where, 0, "restore", "trades", "tape.ndjson", "--write-mode", "copy", "--data-dir", "second")
    assert.deepInclude(taken, { kind: "trade", rows: 2_000, inserted: 2_000 })
    assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", "second"), before)
    const piped = shell(where, "tapestry dump trades - --data-dir first | tapestry restore trades - --data-dir third")
    assert.match(piped.stdout, /2,000 rows: 2,000 new/, piped.stderr)
    assert.strictEqual(tapestry(where, "ingest", "trades", "tape.csv", ...of, "--write-mode", "bulk").code, 2)
    const nameless = tapestry(where, "restore", "trades")
    assert.deepStrictEqual([nameless.code, nameless.stdout], [2, ""])
    ok(where, "backup", "trades", "--data-dir", "first")
    assert.include(ok(where, "restore", "./trades", "--data-dir", "back"), "restored back")
    assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", "back"), before)
    ok(where, "backup", "saved", "--data-dir", "first")
    assert.include(ok(where, "restore", "saved", "--data-dir", "back", "--overwrite"), "restored back")
    assert.include(
      ok(where, "restore", "--help").replace(/\s+/g, " "),
      "'tapestry restore KIND FILE' is 'tapestry ingest KIND FILE'"
    )
  })

  it("71, 75: what dump writes as Arrow is taken back exactly, as a file, packed and piped; bad rows are told by their number", () => {
    const where = { cwd: scratch("ingest-arrow") }
    write(where, "tape.csv", tape(30_000))
    ok(where, "ingest", "trades", "tape.csv", ...of, "--data-dir", "first")
    const before = ok(where, "dump", "trades", "-", "--data-dir", "first")
    ok(where, "dump", "trades", "tape.arrow", "--data-dir", "first")
    const file = readFileSync(join(where.cwd, "tape.arrow"))
    assert.strictEqual(file.subarray(0, 6).toString("latin1"), "ARROW1")
    write(where, "tape.gz", gzipSync(file))
    write(where, "tape.stream", zstdCompressSync(file.subarray(8)))
    for (const name of ["tape.arrow", "tape.gz", "tape.stream"]) {
      const done = json(where, 0, "ingest", "trades", name, "--data-dir", name.replaceAll(".", "-"))
      assert.deepInclude(done, { rows: 30_000, inserted: 30_000, rejected: 0 }, name)
      assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", name.replaceAll(".", "-")), before)
    }
    const piped = shell(
      where,
      "tapestry dump trades - --format arrow --data-dir first | tapestry ingest trades - --data-dir piped --json"
    )
    assert.strictEqual(JSON.parse(piped.stdout).inserted, 30_000, piped.stderr)
    const lost = shell(where, "rm piped/market.sqlite*; tapestry rebuild --data-dir piped")
    assert.include(lost.stdout, "imported: 30,000 rows of 30,000 rows stored again", lost.stderr)
    assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", "piped"), before)

    const bars = {
      ts: vectorFromArray(
        [0, 1, 2].map((day) => new Date(1_704_067_200_000 + day * 86_400_000)),
        new DateDay()
      ),
      ...Object.fromEntries(
        ["open", "high", "low", "close"].map((name) => [name, vectorFromArray([1, 2, Number.NaN], new Float64())])
      )
    }
    write(where, "bars.arrow", tableToIPC(new Table(bars), "file"))
    const headless = json(where, 1, "ingest", "bars", "bars.arrow", ...of, "--timeframe", "1d", "--data-dir", "bars")
    assert.include(headless.error.message, "it does not begin with its schema; write it in the stream format")
    write(where, "bars.arrow", tableToIPC(new Table(bars), "stream"))
    const args = ["ingest", "bars", "bars.arrow", ...of, "--timeframe", "1d", "--data-dir", "bars"] as const
    assert.deepInclude(json(where, 3, ...args, "--rejects", "rejects.ndjson"), { inserted: 2, rejected: 1 })
    const [reject = "", ...more] = readFileSync(join(where.cwd, "rejects.ndjson"), "utf8").trimEnd().split("\n")
    assert.deepStrictEqual(more, [])
    assert.deepInclude(JSON.parse(reject), { row: 3, reason: "open is not a finite number: NaN" })
    assert.include(tapestry(where, ...args).stderr, "row 3: open is not a finite number: NaN")
    assert.strictEqual(tapestry(where, ...args, "--format", "csv").code, 2)
    const explain = ["explain", "SPY", "--vendor", "acme", "--timeframe", "1d", "--at", "2024-01-02"] as const
    assert.include(ok(where, ...explain, "--data-dir", "bars"), "came from row 2 of bars.arrow")
    write(where, "table.parquet", "PAR1....")
    assert.strictEqual(tapestry(where, "ingest", "trades", "table.parquet", ...of).code, 2)
  })

  it("72: bad rows go to a file with their lines, the command ends with 3, and can be told to stop", () => {
    const where = { cwd: scratch("ingest-bad") }
    write(
      where,
      "bad.csv",
      "ts,open,high,low,close\n2024-01-02,1,2,0.5,1.5\n2024-01-03,1,2,0.5,?\n2024-01-04,3,2,2.5,3\n2024-01-05,1,2,0.5,1\n"
    )
    const bars = ["ingest", "bars", "bad.csv", ...of, "--timeframe", "1d"] as const
    const done = json(where, 3, ...bars, "--rejects", "rejects.ndjson")
    assert.deepInclude(done, { rows: 4, inserted: 2, rejected: 2, rejects: "rejects.ndjson" })
    const rejects = readFileSync(join(where.cwd, "rejects.ndjson"), "utf8").trimEnd().split("\n")
    assert.deepStrictEqual(
      rejects.map((line) => JSON.parse(line)),
      [
        { line: 3, reason: "close is not a number: ?", text: "2024-01-03,1,2,0.5,?" },
        { line: 4, reason: "high 2 is below low 2.5", text: "2024-01-04,3,2,2.5,3" }
      ]
    )
    const shown = tapestry(where, ...bars, "--data-dir", "shown")
    assert.match(shown.stdout, /^bad\.csv: 4 rows: 2 new, 2 rejected\n/)
    assert.match(
      shown.stderr,
      /line 3: close is not a number: \?\n.*\n2 rows could not be accepted: shown\/rejects\/bad\.csv/
    )
    const stopped = json(where, 1, ...bars, "--fail-fast", "--data-dir", "stopped")
    assert.deepStrictEqual(stopped.error.reason, "RowRefused")
    assert.strictEqual(tapestry(where, ...bars, "--max-errors", "1", "--data-dir", "few").code, 1)
    assert.strictEqual(tapestry(where, ...bars, "--max-errors", "2", "--data-dir", "few").code, 3)
    const read = json(
      where,
      3,
      "bars",
      "SPY",
      "--vendor",
      "acme",
      "--timeframe",
      "1d",
      "--from",
      "2024-01-02",
      "--to",
      "2024-01-06"
    )
    assert.strictEqual(read.rowCount, 2)
    const explained = ok(where, "explain", "SPY", "--vendor", "acme", "--timeframe", "1d", "--at", "2024-01-05")
    assert.include(explained, "came from line 5 of bad.csv")
  })

  it("wrong usage ends with 2, a file that is not there or is damaged is said", () => {
    const where = { cwd: scratch("ingest-usage") }
    for (const args of [
      ["trades", "nowhere.csv"],
      ["barz", "x"],
      ["trades", "."],
      ["trades", "x", "--delimiter", ";;"],
      ["trades", "x", "--max-errors", "-1"]
    ]) {
      const run = tapestry(where, "ingest", ...args)
      assert.strictEqual(run.code, 2, args.join(" "))
      assert.strictEqual(run.stdout, "")
    }
    write(where, "cut.csv.gz", gzipSync(tape(100)).subarray(0, 200))
    assert.include(
      json(where, 1, "ingest", "trades", "cut.csv.gz", ...of).error.message,
      "the gzip data is damaged or breaks off"
    )
    write(where, "typo.csv", "ts,prise\n")
    assert.include(json(where, 1, "ingest", "trades", "typo.csv", ...of).error.message, "did you mean price?")
    write(where, "one.csv", "ts,price\n2024-01-02,1\n")
    assert.include(
      json(where, 1, "ingest", "trades", "one.csv", "--vendor", "sample", "--symbol", "x").error.message,
      "sample is a configured vendor"
    )
  })

  for (const [point, already] of [
    ["acknowledged", 0],
    ["midCommit", 0],
    ["afterCommit", null]
  ] as const) {
    it(`killed at ${point}: the same command goes on, and nothing is there twice or missing`, () => {
      const where = { cwd: scratch("ingest-killed") }
      write(where, "tape.csv", tape(40_000))
      const killed = tapestry({ ...where, env: { TAPESTRY_CRASH_POINT: point } }, "ingest", "trades", "tape.csv", ...of)
      assert.isNull(killed.code, killed.stderr)
      const done = json(where, 0, "ingest", "trades", "tape.csv", ...of)
      assert.strictEqual(done.rows, 40_000)
      assert.strictEqual(done.inserted + done.known, 40_000)
      assert.strictEqual(done.unchanged + done.updated, 0)
      if (already === null) assert.isAbove(done.known, 0)
      else assert.strictEqual(done.known, already)
      assert.strictEqual(ok(where, "dump", "trades", "-").split("\n").length, 40_001)
      assert.deepStrictEqual(json(where, 0, "archive", "verify").bad, [])
    })
  }

  it("X7: rebuild stores again what was imported", () => {
    const where = { cwd: scratch("ingest-rebuild") }
    write(where, "tape.csv", tape(2_000))
    ok(where, "ingest", "trades", "tape.csv", ...of, "--data-dir", "d")
    const before = ok(where, "dump", "trades", "-", "--data-dir", "d")
    const lost = shell(where, "rm d/market.sqlite*; tapestry rebuild --data-dir d")
    assert.include(lost.stdout, "imported: 2,000 rows of 2,000 rows stored again, from 1 segment", lost.stderr)
    assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", "d"), before)
    assert.isTrue(existsSync(join(where.cwd, "d/market.sqlite")))
    const same = "imported: 1 series with 2,000 rows compared with their files: all the same\n"
    assert.include(ok(where, "rebuild", "--check", "--data-dir", "d"), same)
    const db = new Database(join(where.cwd, "d/market.sqlite"))
    db.exec("update trades set price = price + 1 where sequence = 7")
    db.close()
    const told = tapestry(where, "rebuild", "--check", "--data-dir", "d")
    assert.strictEqual(told.code, 3, told.stderr)
    assert.match(
      told.stdout,
      /SPY\/trade\/.*: 1 row moved\n {2}row at 2023-11-14T22:13:20\.000Z\n {4}stored .*"price":101,/
    )
    const [checked] = json(where, 3, "rebuild", "--check", "--symbol", "SPY", "--data-dir", "d").imported.compared
    assert.deepInclude(checked, { stored: 2_000, rebuilt: 2_000, rows: 1, revisions: 0, coverage: 0 })
    assert.strictEqual(JSON.parse(checked.differences[0].rebuilt).price, 100)
    assert.deepStrictEqual(
      json(where, 0, "rebuild", "--check", "--symbol", "X", "--data-dir", "d").imported.compared,
      []
    )
  })
})
