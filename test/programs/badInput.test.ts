/** Section "Bad input": a clear error, its exit code, and nothing lost. */
import { spawnSync } from "node:child_process"
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { ensureBundle } from "../support/bundle.ts"
import { canBecomeNobody, nobody, withoutNobody } from "../support/otherUser.ts"
import { json, ok, scratch, spx, tapestry } from "./tapestry.ts"

const july = ["--from", "2008-07-01", "--to", "2008-08-01"]

describe("what is not known", () => {
  const where = { cwd: scratch("unknown") }
  const failures: ReadonlyArray<readonly [string, ReadonlyArray<string>, string, string, RegExp]> = [
    [
      "vendor",
      ["bars", "SPX", "--vendor", "nobody", "--timeframe", "1d", ...july],
      "AdapterRegistryError",
      "UnknownVendor",
      /no vendor named nobody; known: sample/
    ],
    ["symbol", ["bars", "NDX", ...spx.slice(1), ...july], "VendorError", "NotFound", /NDX/],
    ["vendor to ping", ["vendors", "ping", "nobody"], "AdapterRegistryError", "UnknownVendor", /known: sample/],
    [
      "timeframe of the vendor",
      ["bars", "SPX", "--vendor", "sample", "--timeframe", "1m", ...july],
      "VendorError",
      "Unsupported",
      /offered: 1d/
    ]
  ]
  for (const [name, args, tag, reason, said] of failures) {
    it(`an unknown ${name} ends with 1, in one line`, () => {
      const run = tapestry(where, ...args)
      assert.strictEqual(run.code, 1)
      assert.strictEqual(run.stdout, "")
      assert.match(run.stderr, /^error: [^\n]*\n$/)
      assert.match(run.stderr, said)
      const { error } = json(where, 1, ...args)
      assert.deepStrictEqual([error._tag, error.reason], [tag, reason])
    })
  }

  it("--log-level debug shows the trace, on standard error", () => {
    const run = tapestry(where, "vendors", "ping", "nobody", "--log-level", "debug", "--json")
    assert.match(run.stderr, /"level":"debug","message":"the command failed".*AdapterRegistryError.*\\n +at /)
    assert.strictEqual(JSON.parse(run.stdout).error.reason, "UnknownVendor")
  })
})

describe("a configuration", () => {
  const where = { cwd: scratch("configuration") }
  const broken = (name: string, text: string) => {
    writeFileSync(join(where.cwd, name), text)
    return tapestry(where, "vendors", "list", "--config", name)
  }

  it("that is not there, not YAML, or says what cannot be: the key, its path and what was expected", () => {
    const absent = tapestry(where, "vendors", "list", "--config", "nowhere.yaml")
    assert.strictEqual(absent.code, 1)
    assert.match(absent.stderr, /^error: nowhere\.yaml: .*no such file/)
    const syntax = broken("syntax.yaml", "vendors: [\n")
    assert.strictEqual(syntax.code, 1)
    assert.match(syntax.stderr, /^error: syntax\.yaml: /)
    const key = broken(
      "key.yaml",
      "vendors:\n  a:\n    adapter: file\n    root: .\n    path: x.csv\n    delimeter: ;\n    timeframe: 1d\n"
    )
    assert.strictEqual(key.code, 1)
    assert.match(key.stderr, /vendors\.a.*delimeter/)
    const value = broken(
      "value.yaml",
      "vendors:\n  a:\n    adapter: file\n    root: .\n    path: x.csv\n    timeframe: 7d\n"
    )
    assert.strictEqual(value.code, 1)
    assert.match(value.stderr, /vendors\.a\.timeframe: expected .*1d.*found "7d"/)
  })

  it("with several mistakes has a line for each", () => {
    const run = broken(
      "several.yaml",
      "dataDri: x\nvendors:\n  a:\n    adapter: file\n    root: .\n    path: x.csv\n    timeframe: 7d\n"
    )
    assert.strictEqual(run.code, 1)
    assert.match(
      run.stderr,
      /^error: several\.yaml: 2 mistakes\n {2}line 1: dataDri: [^\n]*\n {2}line 7: vendors\.a\.timeframe: [^\n]*\n$/
    )
  })

  it("by the environment is as good as by the flag, and doctor names what is wrong with it", () => {
    const run = tapestry({ ...where, env: { TAPESTRY_CONFIG: "nowhere.yaml" } }, "doctor")
    assert.strictEqual(run.code, 1)
    assert.match(run.stdout, /fail {2}configuration +nowhere\.yaml: /)
  })
})

describe("files of a vendor", () => {
  const where = { cwd: scratch("files") }
  const header = "ts,open,high,low,close,volume"
  const row = (day: number) => `2024-01-0${day},10,12,9,11,100`
  mkdirSync(join(where.cwd, "data"))
  const write = (name: string, ...lines: ReadonlyArray<string>) =>
    writeFileSync(join(where.cwd, "data", name), `${[header, ...lines].join("\n")}\n`)
  const vendor = (name: string, ...extra: ReadonlyArray<string>) =>
    [
      `  ${name}:`,
      "    adapter: file",
      "    root: data",
      '    path: "{symbol}.csv"',
      "    timeframe: 1d",
      ...extra
    ].join("\n")
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    [
      "vendors:",
      vendor("strict"),
      vendor("lenient", "    badRows: skip", "    rejects: rejects"),
      vendor("oil", "    allowNonPositivePrices: true"),
      ""
    ].join("\n")
  )
  const bars = (symbol: string, vendor: string) => [
    "bars",
    symbol,
    "--vendor",
    vendor,
    "--timeframe",
    "1d",
    "--from",
    "2024-01-01",
    "--to",
    "2024-01-06"
  ]

  it("a bad row fails the strict vendor with its line, and keeps what was there", () => {
    write("bad.csv", row(1), row(2), "2024-01-03,10,1,9,11,100", row(4))
    const run = tapestry(where, ...bars("bad", "strict"))
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, /high 1 is below low 9/)
    assert.match(run.stderr, /line 4|row 4/)
    assert.deepStrictEqual(json(where, 0, "archive", "verify").bad, [])
  })

  it("a bad row is skipped by the lenient vendor, which says so and ends with 3", () => {
    const run = tapestry(where, ...bars("bad", "lenient"), "--json")
    const answer = JSON.parse(run.stdout)
    assert.strictEqual(answer.rowCount, 3)
    assert.strictEqual(answer.rowsRejected, 1)
    assert.strictEqual(run.code, 3)
    assert.match(run.stderr, /rejected: 1 row that lenient sent/)
    assert.isAbove(readdirSync(join(where.cwd, "rejects"), { recursive: true }).length, 0)
  })

  it("prices below zero are refused, unless the vendor's files may have them", () => {
    write("negative.csv", row(1), "2024-01-02,10,12,-40.32,-37.63,100")
    const refused = tapestry(where, ...bars("negative", "strict"))
    assert.strictEqual(refused.code, 1)
    assert.match(refused.stderr, /not above zero/)
    const allowed = tapestry(where, ...bars("negative", "oil"), "--format", "csv")
    assert.strictEqual(allowed.code, 0, allowed.stderr)
    assert.include(allowed.stdout, "-37.63")
  })

  it("a truncated file and a directory in place of a file end with 1", () => {
    write("cut.csv", row(1), row(2))
    appendFileSync(join(where.cwd, "data", "cut.csv"), "2024-01-03,10,12")
    const cut = tapestry(where, ...bars("cut", "strict"))
    assert.strictEqual(cut.code, 1)
    assert.match(cut.stderr, /^error: /)
    mkdirSync(join(where.cwd, "data", "directory.csv"))
    const directory = tapestry(where, ...bars("directory", "strict"))
    assert.strictEqual(directory.code, 1)
    assert.match(directory.stderr, /^error: [^\n]*\n$/)
  })
})

describe("a data directory", () => {
  const template = { cwd: scratch("directory") }
  ok(template, "bars", ...spx, ...july)
  const copy = (name: string) => {
    const where = { cwd: scratch(name) }
    cpSync(join(template.cwd, ".tapestry"), join(where.cwd, ".tapestry"), { recursive: true })
    return where
  }

  it("of a newer release is refused and left alone", () => {
    for (const file of ["provenance.sqlite", "market.sqlite"]) {
      const where = copy("newer")
      const database = new Database(join(where.cwd, ".tapestry", file))
      database.prepare("insert into migration_checksums (id, sha256) values (9999, 'later')").run()
      database.close()
      const run = tapestry(where, "bars", ...spx, ...july)
      assert.strictEqual(run.code, 1, `${file}: ${run.stdout}`)
      assert.match(run.stderr, /has schema version 9999, this release knows up to \d+: use the release that wrote it/)
      const { error } = json(where, 1, "bars", ...spx, ...july)
      assert.match(error.reason, /SchemaMismatch$/)
      assert.match(tapestry(where, "doctor").stdout, /fail {2}data directory/)
    }
  })

  it("that is a file, or whose databases are none, is refused", () => {
    const where = { cwd: scratch("nodirectory") }
    writeFileSync(join(where.cwd, "file"), "")
    const file = tapestry(where, "bars", ...spx, ...july, "--data-dir", "file")
    assert.strictEqual(file.code, 1)
    assert.match(file.stderr, /^error: [^\n]*file[^\n]*\n$/)
    const damaged = copy("nodatabase")
    writeFileSync(
      join(damaged.cwd, ".tapestry/market.sqlite"),
      "this is not a database, however long it may be. ".repeat(100)
    )
    const run = tapestry(damaged, "bars", ...spx, ...july)
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, /^error: [^\n]*market\.sqlite[^\n]*\n$/)
  })

  it("whose archive file is torn still answers what is in the store, and heals by asking again", () => {
    const where = copy("torn")
    const responses = join(where.cwd, ".tapestry/responses")
    for (const file of readdirSync(responses, { recursive: true, encoding: "utf8" })) {
      if (/\.(bin|zst)$/.test(file)) truncateSync(join(responses, file), 10)
    }
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22)
    assert.strictEqual(json(where, 1, "archive", "verify").bad.length, 1)
    assert.strictEqual(json(where, 0, "bars", ...spx, "--from", "2008-07-01", "--to", "2008-09-01").rowCount, 43)
    assert.deepStrictEqual(json(where, 0, "archive", "verify").bad, [])
  })

  it("on a disk that has less room than a fetch is forecast to need is asked for nothing, and read as ever", () => {
    const where = copy("reserve")
    writeFileSync(join(where.cwd, "tapestry.yaml"), "limits: { minFree: 1000 TiB }\n")
    const more = ["--from", "2009-01-01", "--to", "2009-02-01"]
    const run = tapestry(where, "bars", ...spx, ...more)
    assert.strictEqual(run.code, 1)
    assert.strictEqual(run.stdout, "")
    assert.match(
      run.stderr,
      /^error: the disk of [^\n]* is too full: [^\n]*limits\.minFree[^\n]*free some space[^\n]*\n$/
    )
    assert.strictEqual(json(where, 1, "bars", ...spx, ...more).error.reason, "DiskTooFull")
    assert.strictEqual(json(where, 0, "archive", "requests").requests.length, 1, "nobody was asked")
    assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22)
    assert.strictEqual(json(where, 3, "bars", ...spx, ...more, "--policy", "cacheOnly").rowCount, 0)
  })

  const small = join(template.cwd, "small")
  mkdirSync(small)
  const [mount, unmount] = ["mount", "umount"]
  const mounted = spawnSync(mount, ["-t", "tmpfs", "-o", "size=600k", "tmpfs", small]).status === 0
  afterAll(() => void (mounted && spawnSync(unmount, [small])))
  if (!mounted) console.log("skipped: 1 test of a disk that is full (no small file system can be mounted here)")
  it.skipIf(!mounted)("on a disk that is full ends with 1 and says so; with space the same command goes on", () => {
    // Without a reserve: what is tested here is a disk that fills up although the fetch was forecast to fit.
    writeFileSync(join(template.cwd, "noReserve.yaml"), "limits: { minFree: 1 }\n")
    const args = ["bars", ...spx, ...july, "--data-dir", "small/data", "--config", "noReserve.yaml"]
    for (const attempt of [1, 2]) {
      const run = tapestry(template, ...args)
      assert.strictEqual(run.code, 1, `attempt ${attempt}: ${run.stderr}`)
      assert.strictEqual(run.stdout, "")
      assert.match(run.stderr, /^error: [^\n]*(disk is full|ENOSPC)[^\n]*free some space[^\n]*\n$/)
    }
    // Which file meets the end of the disk first depends on how large empty ones are.
    const { message, reason } = json(template, 1, ...args).error
    assert.match(reason, /Full$|^QuotaUnavailable$/)
    assert.match(message, /free some space/)
    assert.strictEqual(spawnSync(mount, ["-o", "remount,size=20m", small]).status, 0)
    assert.deepStrictEqual(json(template, 0, "archive", "verify", "--data-dir", "small/data").bad, [])
    assert.strictEqual(json(template, 0, ...args).rowCount, 22)
    const { sessions } = json(template, 0, "archive", "sessions", "--data-dir", "small/data")
    assert.isFalse(sessions.some((session: { outcome: string | null }) => session.outcome === null))

    // A disk that somebody else fills, down to less than any of the files needs to be opened.
    const { bavail, bsize } = statfsSync(small)
    const filler = join(small, "filler")
    writeFileSync(filler, Buffer.alloc(bavail * bsize - 16_384))
    const more = ["bars", ...spx, "--from", "2008-07-01", "--to", "2008-08-01", ...args.slice(-4)]
    for (const attempt of [1, 2]) {
      const { error } = json(template, 1, ...more)
      assert.match(error.reason, /Full$/, `attempt ${attempt}: ${error.message}`)
      assert.match(error.message, /free some space/)
    }
    rmSync(filler)
    assert.strictEqual(json(template, 0, ...more).rowCount, 22)
  })

  withoutNobody(1, "a data directory that belongs to another user")
  it.skipIf(!canBecomeNobody)(
    "that belongs to another user can be read, and a fetch says that it cannot be written",
    () => {
      const where = copy("foreign")
      chmodSync(where.cwd, 0o755)
      const asNobody = (...args: ReadonlyArray<string>) =>
        spawnSync(process.execPath, [ensureBundle(), ...args], {
          cwd: where.cwd,
          env: { PATH: process.env.PATH, TMPDIR: "/tmp" },
          encoding: "utf8",
          ...nobody
        })
      const stored = asNobody("bars", ...spx, ...july, "--policy", "cacheOnly", "--json")
      assert.strictEqual(stored.status, 0, stored.stderr)
      assert.strictEqual(JSON.parse(stored.stdout).rowCount, 22)
      assert.strictEqual(asNobody("archive", "verify").status, 0)
      const fetched = asNobody("bars", ...spx, "--from", "2009-01-01", "--to", "2009-02-01")
      assert.strictEqual(fetched.status, 1)
      assert.match(fetched.stderr, /^error: [^\n]*(read.?only|written|permission)[^\n]*\n$/i)
      assert.strictEqual(json(where, 0, "bars", ...spx, ...july).rowCount, 22)
    }
  )
})
