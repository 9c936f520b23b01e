/** Exports as the command line makes and checks them, over the built bundle. */
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { collected, json, minuteFile, ok, scratch, shell, spx, start, tapestry } from "./tapestry.ts"

const year = ["--from", "2008-01-01", "--to", "2009-01-01"] as const

describe("tapestry export", () => {
  for (const format of ["csv", "ndjson", "arrow"]) {
    it(`${format}: fetches, writes and checks, with the archive and without`, () => {
      const where = { cwd: scratch("export") }
      const written = json(where, 0, "export", ...spx, ...year, "--format", format, "--lineage", "--out", "spx")
      assert.isTrue(written.complete)
      const { file, responses } = written.series[0]
      assert.deepStrictEqual([file.name, file.rows, responses], [`SPX-1d.${format}`, 253, [1]])
      const sums = shell(where, "cd spx && sha256sum -c SHA256SUMS")
      assert.strictEqual(sums.code, 0, sums.stderr)
      const checked = json(where, 0, "export", "verify", "spx")
      assert.deepStrictEqual(checked.archive, { responses: 1, rows: 253 })
      assert.strictEqual(json(where, 0, "export", "verify", "spx", "--without-archive").archive, null)
      rmSync(join(where.cwd, ".tapestry"), { recursive: true })
      assert.match(
        ok(where, "export", "verify", "spx"),
        /as they were written\nchecked by itself; no archive was at hand/
      )
    })
  }

  it("a damaged file is named and ends with 1; a place that is taken, an unknown symbol and wrong usage are said", () => {
    const where = { cwd: scratch("export-damage") }
    assert.match(ok(where, "export", ...spx, ...year, "--out", "spx"), /SPX 1d {2}SPX-1d\.csv +253 .* yes\nCheck it: /)
    const file = join(where.cwd, "spx/SPX-1d.csv")
    const bytes = readFileSync(file)
    bytes[1_000] = (bytes[1_000] ?? 0) ^ 1
    writeFileSync(file, bytes)
    const line = bytes.subarray(0, 1_000).filter((byte) => byte === 10).length + 1
    const damaged = tapestry(where, "export", "verify", "spx")
    assert.strictEqual(damaged.code, 1)
    assert.include(damaged.stdout, `SPX-1d.csv: line ${line}: byte 1000 of the file is 0x`)
    const [problem] = json(where, 1, "export", "verify", "spx", "--without-archive").problems
    assert.deepStrictEqual([problem.file, problem.row, problem.byte], ["SPX-1d.csv", line - 1, 1_000])

    assert.strictEqual(json(where, 1, "export", ...spx, ...year, "--out", "spx").error.reason, "ExportExists")
    ok(where, "export", ...spx, ...year, "--out", "spx", "--overwrite")
    ok(where, "export", "verify", "spx")
    mkdirSync(join(where.cwd, "mine"))
    writeFileSync(join(where.cwd, "mine/thesis.txt"), "")
    const mine = tapestry(where, "export", ...spx, ...year, "--out", "mine", "--overwrite")
    assert.strictEqual(mine.code, 1)
    assert.include(mine.stderr, "is not an export")
    assert.strictEqual(json(where, 1, "export", "verify", "nowhere").error.reason, "ExportUnreadable")
    assert.strictEqual(
      tapestry(where, "export", "NOPE", ...spx.slice(1), ...year, "--out", "nope").code,
      1,
      "an unknown symbol"
    )
    assert.isFalse(existsSync(join(where.cwd, "nope")))
    for (const wrong of [
      ["export", ...spx, ...year],
      ["export", ...spx, ...year, "--out", "x", "--format", "parquet"],
      ["export", ...spx, "--from", "2009-01-01", "--to", "2008-01-01", "--out", "x"],
      ["export", "verify"]
    ]) {
      const run = tapestry(where, ...wrong)
      assert.deepStrictEqual([run.code, run.stdout], [2, ""], wrong.join(" "))
    }
  })

  it("holes end with 3 and are named, in words and in the manifest", () => {
    const where = { cwd: scratch("export-partial") }
    ok(where, "bars", ...spx, ...year)
    const partial = tapestry(
      where,
      "export",
      ...spx,
      "--from",
      "2007-01-01",
      "--to",
      "2009-01-01",
      "--policy",
      "cacheOnly",
      "--out",
      "spx"
    )
    assert.strictEqual(partial.code, 3)
    assert.include(partial.stderr, "SPX 1d: not had: 2007-01-01 to 2008-01-01")
    const manifest = JSON.parse(readFileSync(join(where.cwd, "spx/manifest.json"), "utf8"))
    assert.deepStrictEqual(
      manifest.series[0].coverage.map(({ status }: { status: string }) => status),
      ["Missing", "Covered"]
    )
    assert.strictEqual(json(where, 0, "export", "verify", "spx").complete, false)
  })

  it("beside a server that owns the data directory, through it, with the same bytes", async () => {
    const where = { cwd: scratch("export-owner") }
    const server = start(where, "serve", "--http", "127.0.0.1:0", "--tcp", "off")
    const output = collected(server)
    const socket = () => existsSync(join(where.cwd, ".tapestry/owner.json"))
    for (let waited = 0; !socket() && waited < 200; waited++) await new Promise((resolve) => setTimeout(resolve, 50))
    assert.isTrue(socket(), output.stderr())
    ok(where, "export", ...spx, ...year, "--out", "beside")
    ok(where, "export", "verify", "beside")
    server.kill("SIGTERM")
    assert.strictEqual((await output.end).code, 0)
    ok(where, "export", ...spx, ...year, "--out", "alone")
    assert.deepStrictEqual(
      readFileSync(join(where.cwd, "alone/SPX-1d.csv")),
      readFileSync(join(where.cwd, "beside/SPX-1d.csv"))
    )
  })

  it("killed in the middle it leaves nothing in its place, and the next one clears what it left", async () => {
    const where = { cwd: scratch("export-kill") }
    writeFileSync(join(where.cwd, "long.csv"), minuteFile(120_000))
    writeFileSync(
      join(where.cwd, "tapestry.yaml"),
      "vendors:\n  mine:\n    adapter: file\n    root: .\n    path: long.csv\n    symbols: [LONG]\n    timeframe: 1m\n"
    )
    const long = ["LONG", "--vendor", "mine", "--timeframe", "1m", "--from", "2015-01-01", "--to", "2015-10-01"]
    ok(where, "bars", ...long, "--limit", "1")
    const child = start(where, "export", ...long, "--format", "ndjson", "--out", "out")
    const output = collected(child)
    const drafts = () => readdirSync(where.cwd).filter((name) => name.endsWith(".tmp"))
    for (let waited = 0; drafts().length === 0 && waited < 2_000; waited++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    assert.strictEqual(drafts().length, 1, output.stderr())
    assert.isFalse(existsSync(join(where.cwd, "out")))
    child.kill("SIGKILL")
    assert.strictEqual((await output.end).signal, "SIGKILL")
    assert.isFalse(existsSync(join(where.cwd, "out")))
    ok(where, "export", ...long, "--format", "ndjson", "--out", "out")
    assert.deepStrictEqual(drafts(), [])
    ok(where, "export", "verify", "out")
  })

  it("the hash of rows as docs/export.md computes it in Python, and that of the manifest in SHA256SUMS", () => {
    const where = { cwd: scratch("export-python") }
    const { series } = json(where, 0, "export", "SPX", ...spx, ...year, "--out", "spx")
    assert.strictEqual(series.length, 1, "a symbol that is named twice is exported once")
    const manual = readFileSync(new URL("../../docs/export.md", import.meta.url), "utf8")
    const [, script = ""] = /```python\n(import csv[\s\S]*?)```/.exec(manual) ?? []
    writeFileSync(join(where.cwd, "hash.py"), script)
    const python = shell(where, "python3 hash.py")
    if (python.code === 127) return console.log("skipped: there is no python3 to compute the hash of rows with")
    assert.strictEqual(python.stdout.trim(), series[0].file.rowHash, python.stderr)
    const [, sums = ""] =
      /([0-9a-f]{64}) {2}manifest\.json/.exec(readFileSync(join(where.cwd, "spx/SHA256SUMS"), "utf8")) ?? []
    assert.strictEqual(
      createHash("sha256")
        .update(readFileSync(join(where.cwd, "spx/manifest.json")))
        .digest("hex"),
      sums
    )
  })
})

describe("tapestry export of every kind", () => {
  const trades = (price: number) =>
    Array.from(
      { length: 3_000 },
      (_, index) =>
        `{"tsNs":"${1_700_000_000_000_000_000n + BigInt(Math.floor(index / 3)) * 400_000n}","price":${price + (index % 7)},"size":1${index % 5 === 0 ? "" : `,"sequence":${index}`}}`
    ).join("\n")

  const where = { cwd: scratch("export-records") }
  writeFileSync(join(where.cwd, "first.ndjson"), trades(100))
  writeFileSync(join(where.cwd, "later.ndjson"), trades(101).split("\n").slice(1_000, 1_200).join("\n"))
  writeFileSync(join(where.cwd, "other.csv"), 'ts,title,url\n2024-01-02,"a ""b"",\nc\\",\n2024-01-03,é🚀,""\n')
  ok(where, "ingest", "trades", "first.ndjson", "--vendor", "acme", "--symbol", "SPY")
  ok(where, "ingest", "trades", "later.ndjson", "--vendor", "acme", "--symbol", "SPY")
  ok(where, "ingest", "trades", "later.ndjson", "--vendor", "acme", "--symbol", "QQQ")
  ok(where, "ingest", "news", "other.csv", "--vendor", "wire", "--symbol", "SPY")

  for (const format of ["csv", "ndjson", "arrow"]) {
    it(`77: ${format}: stored records with a manifest that is checked against the files they were imported from`, () => {
      for (const [kind, lineage, series] of [
        ["trades", true, 2],
        ["trades", false, 2],
        ["news", true, 1]
      ] as const) {
        const out = `${kind}-${lineage}-${format}`
        const written = json(
          where,
          0,
          ...["export", "--kind", kind, "--format", format, "--out", out, ...(lineage ? ["--lineage"] : [])]
        )
        assert.strictEqual(written.series.length, series)
        assert.isFalse(written.complete, "nothing proves that these are all")
        const rows = written.series.reduce((sum: number, { file }: { file: { rows: number } }) => sum + file.rows, 0)
        assert.strictEqual(shell(where, `cd ${out} && sha256sum -c SHA256SUMS`).code, 0)
        const checked = json(where, 0, "export", "verify", out)
        assert.deepStrictEqual([checked.rows, checked.archive.rows, checked.notes], [rows, rows, []])
        assert.strictEqual(json(where, 0, "export", "verify", out, "--without-archive").archive, null)
      }
      const directory = `part-${format}`
      const spy = ["export", "SPY", "--kind", "trades", "--format", format, "--out"] as const
      const part = json(
        where,
        0,
        ...spy,
        directory,
        "--from",
        "2023-11-14T22:13:20.1Z",
        "--to",
        "2023-11-14T22:13:20.2Z"
      )
      // 750 of the first, and those of the later ones that have no number and another price: they are other trades.
      const rows = 750 + 40
      assert.deepStrictEqual([part.series.length, part.series[0].file.rows], [1, rows])
      assert.strictEqual(json(where, 0, "export", "verify", directory).archive.rows, rows)
      const file = part.series[0].file.name
      const again = json(where, 0, "ingest", "trades", `${directory}/${file}`, "--data-dir", `again-${format}`)
      assert.deepInclude(again, { inserted: rows, rejected: 0 })
      const range = ["--from", "2023-11-14T22:13:20.1Z", "--to", "2023-11-14T22:13:20.2Z"]
      const piped = ok(where, "export", "SPY", "--kind", "trades", "--out", "-", ...range)
      assert.strictEqual(ok(where, "dump", "trades", "-", "--data-dir", `again-${format}`), piped)
      assert.strictEqual(ok(where, "dump", "trades", "-", "--symbol", "SPY", ...range), piped)

      const origins = tapestry(
        where,
        "ingest",
        "news",
        `news-true-${format}/SPY-news.${format}`,
        "--data-dir",
        `origins-${format}`
      )
      assert.match(origins.stdout, /2 rows: 2 new/, "the columns of lineage are passed over")

      const bytes = readFileSync(join(where.cwd, directory, file))
      const at = Math.floor(bytes.length / 2)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      writeFileSync(join(where.cwd, directory, file), bytes)
      const [problem] = json(where, 1, "export", "verify", directory).problems
      assert.deepStrictEqual([problem.file, problem.byte], [file, at])
    }, 120_000)
  }

  it("bars of all series of a vendor, and a stream of bars that are fetched; what cannot be meant is said", () => {
    const where = { cwd: scratch("export-kinds") }
    const streamed = ok(where, "export", ...spx, ...year, "--out", "-", "--format", "csv")
    assert.strictEqual(streamed.split("\n").length, 255)
    const all = json(where, 0, "export", "--vendor", "sample", "--out", "all")
    assert.deepStrictEqual([all.series.length, all.series[0].file.rows, all.complete], [1, 253, true])
    assert.strictEqual(json(where, 0, "export", "verify", "all").archive.rows, 253)
    const holes = tapestry(
      where,
      ...["export", ...spx, "--from", "2007-01-01", "--to", "2009-01-01", "--policy", "cacheOnly", "--out", "-"]
    )
    assert.strictEqual(holes.code, 3)
    assert.include(holes.stderr, "SPX 1d: not had: 2007-01-01 to 2008-01-01")
    assert.strictEqual(holes.stdout.split("\n").length, 254)
    assert.strictEqual(json(where, 1, "export", "--kind", "quotes", "--out", "none").error.reason, "NothingStored")
    assert.isFalse(existsSync(join(where.cwd, "none")))
    for (const wrong of [
      ["export", "--kind", "trades", "--policy", "force", "--out", "x"],
      ["export", "--kind", "barz", "--out", "x"],
      ["export", ...spx, "--out", "x"],
      ["export", "--kind", "trades", "--out", "-", "--lineage"],
      ["export", "--vendor", "sample", "--as-of", "2024-01-01", "--out", "x"]
    ]) {
      const run = tapestry(where, ...wrong)
      assert.deepStrictEqual([run.code, run.stdout], [2, ""], wrong.join(" "))
    }
    assert.include(ok(where, "export", "--help").replace(/\s+/g, " "), "it has no manifest and cannot be verified")
  })
})
