/** Pipes, signals, crashes, and what a terminal is shown. */
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ended, json, minuteFile, ok, scratch, shell, spx, start, tapestry } from "./tapestry.ts"

const rows = 300_000
const where = { cwd: scratch("streams") }
writeFileSync(join(where.cwd, "big.csv"), minuteFile(rows))
writeFileSync(
  join(where.cwd, "tapestry.yaml"),
  [
    "vendors:",
    "  big:",
    "    adapter: file",
    "    root: .",
    '    path: "{symbol}.csv"',
    "    timestamp: iso",
    "    timeframe: 1m",
    "  paced:",
    "    adapter: file",
    "    root: paced",
    '    path: "{SYMBOL}-{yyyyMMdd}.csv"',
    "    timestamp: iso",
    "    timeframe: 1m",
    "    quota: { windows: [{ name: slow, limit: 1, span: 500, key: null }] }",
    ""
  ].join("\n")
)
// Five files, one request each, one request in half a second: two seconds on every machine.
const days = ["01", "02", "03", "04", "05"]
mkdirSync(join(where.cwd, "paced"))
for (const day of days) {
  const rows = `ts,open,high,low,close,volume\n2024-02-${day}T15:00:00Z,1,2,1,2,10\n`
  writeFileSync(join(where.cwd, "paced", `SLOW-202402${day}.csv`), rows)
}
const slow = ["SLOW", "--vendor", "paced", "--timeframe", "1m", "--from", "2024-02-01", "--to", "2024-02-06"] as const
const big = ["BIG", "--vendor", "big", "--timeframe", "1m", "--from", "2015-01-01", "--to", "2015-07-28"] as const

/** Everything that a command says before it is done with its first transaction is said quickly; this waits for a file. */
const until = async (holds: () => boolean) => {
  for (let i = 0; i < 500 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.isTrue(holds(), "did not happen in five seconds")
}

describe("signals", () => {
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143]
  ] as const) {
    it(`${signal} ends with ${code} after closing the session, and the next run goes on`, async () => {
      const dataDir = `interrupted-${signal}`
      const child = start(where, "bars", ...big, "--data-dir", dataDir, "--format", "csv")
      const end = ended(child)
      await until(() => existsSync(join(where.cwd, dataDir, "responses")))
      child.kill(signal)
      const run = await end
      assert.strictEqual(run.code, code, run.stderr)
      assert.strictEqual(run.signal, null)
      assert.notMatch(run.stderr, /error/)
      const { sessions } = json(where, 0, "archive", "sessions", "--data-dir", dataDir)
      for (const session of sessions) assert.include(["cancelled", "ok"], session.outcome)
      assert.strictEqual(json(where, 0, "bars", ...big, "--data-dir", dataDir).rowCount, 299_520)
      assert.deepStrictEqual(json(where, 0, "archive", "verify", "--data-dir", dataDir).bad, [])
    })
  }

  it("a reader that does not read does not keep the command from ending", async () => {
    ok(where, "bars", ...big, "--limit", "1")
    const child = start(where, "bars", ...big, "--format", "csv")
    const closed = new Promise<number | null>((resolve) => child.on("exit", (code) => resolve(code)))
    await new Promise<void>((resolve) => child.stdout?.once("readable", () => resolve()))
    child.kill("SIGINT")
    assert.strictEqual(await closed, 130)
  })
})

describe("crash points", () => {
  for (const point of ["afterBytes", "afterResponse", "midCommit", "afterCommit"]) {
    it(`${point}: killed there, restarted, the rows are all there and the archive is whole`, () => {
      const directory = { cwd: scratch(`crash-${point}`) }
      const args = ["bars", ...spx, "--from", "2008-01-01", "--to", "2009-01-01"]
      const killed = tapestry({ ...directory, env: { TAPESTRY_CRASH_POINT: point } }, ...args)
      assert.strictEqual(killed.code, null, `not killed: ${killed.stdout}${killed.stderr}`)
      const after = json(directory, 0, ...args)
      assert.strictEqual(after.rowCount, 253)
      assert.strictEqual(after.requests, 0, "what was archived is not fetched again")
      assert.deepStrictEqual(json(directory, 0, "archive", "verify").bad, [])
      const { sessions } = json(directory, 0, "archive", "sessions")
      assert.isFalse(sessions.some((session: { outcome: string | null }) => session.outcome === null))
    })
  }

  it("an unknown one is wrong usage", () => {
    const run = tapestry({ ...where, env: { TAPESTRY_CRASH_POINT: "somewhere" } }, "config")
    assert.strictEqual(run.code, 2)
    assert.match(run.stderr, /TAPESTRY_CRASH_POINT=somewhere: expected one of beforeBytes/)
  })
})

describe("pipes", () => {
  it("a reader that goes away ends the command quietly", () => {
    for (const format of ["csv", "ndjson", "table"]) {
      const run = shell(
        where,
        `{ tapestry bars ${big.join(" ")} --format ${format}; echo $? > code; } | head -1; cat code`
      )
      const [first = "", code] = run.stdout.split("\n")
      assert.match(first, /^(ts,open|\{"ts":|time \(UTC\))/)
      assert.strictEqual(code, "0")
      assert.strictEqual(run.stderr, "")
    }
  })

  it("a full disk behind a redirection is an error", () => {
    const run = shell(where, `tapestry bars ${big.join(" ")} --format csv > /dev/full`)
    assert.strictEqual(run.code, 1)
    assert.match(run.stderr, /^error: standard output cannot be written: ENOSPC/)
  })

  it("get every row and no control codes", () => {
    const run = tapestry(where, "bars", ...big)
    assert.strictEqual(run.stdout.split("\n").length - 1, 299_520 + 2)
    assert.notInclude(run.stdout + run.stderr, "\u001b")
  })

  it("memory does not grow with the rows that are written", () => {
    // What is still held after a collection, sampled while the command writes: garbage does not count, a list of rows would.
    const sampler = `
      import { setFlagsFromString } from "node:v8"
      import { runInNewContext } from "node:vm"
      setFlagsFromString("--expose-gc")
      const collect = runInNewContext("gc")
      let most = 0
      setInterval(() => {
        collect()
        most = Math.max(most, process.memoryUsage().heapUsed)
      }, 25).unref()
      process.on("exit", () => console.error("held", most))`
    writeFileSync(join(where.cwd, "held.mjs"), sampler)
    const env = { NODE_OPTIONS: "--import ./held.mjs" }
    ok(where, "bars", ...big, "--limit", "1")
    const held = (to: string, format: string): number => {
      const run = tapestry({ ...where, env }, "bars", ...big.slice(0, 7), "--to", to, "--format", format)
      assert.strictEqual(run.code, 0, run.stderr)
      return Number(/held (\d+)/.exec(run.stderr)?.[1])
    }
    for (const format of ["csv", "ndjson", "table"]) {
      const few = held("2015-02-20", format)
      const many = held("2015-07-28", format)
      // 227,520 rows more are 13 MB of text, and more than twice that as objects.
      assert.isBelow(many - few, 6_000_000, `${format}: ${few} bytes for 72,000 rows, ${many} for 299,520`)
    }
  })
})

/** Gives a command a pseudo-terminal and logs what it writes there; part of util-linux. */
const recorder = "script"
const recorderVersion = spawnSync(recorder, ["--version"], { encoding: "utf8" })
const hasTerminal = recorderVersion.status === 0 && /util-linux/.test(recorderVersion.stdout)
if (!hasTerminal) console.log("skipped: 4 tests of what a terminal is shown (there is no 'script' of util-linux here)")

describe.skipIf(!hasTerminal)("a terminal", () => {
  /** What the command writes to a terminal of 100 columns and 30 lines. */
  const shown = (args: ReadonlyArray<string>, env = ""): string => {
    const log = join(where.cwd, "terminal.log")
    const line = `${recorder} -q -e -c 'stty cols 100 rows 30; ${env} "$NODE" "$BUNDLE" ${args.join(" ")}' ${log} > /dev/null < /dev/null`
    const run = shell(
      where,
      `export NODE=${process.execPath} BUNDLE=${join(import.meta.dirname, "../../dist/cli.mjs")} TERM=xterm; ${line}`
    )
    assert.strictEqual(run.code, 0, run.stderr)
    return readFileSync(log, "utf8")
      .split("\n")
      .filter((text) => !/^Script (started|done)/.test(text))
      .map((text) => text.replace(/\r$/, ""))
      .join("\n")
      .trimEnd()
  }
  const table = ["bars", ...spx, "--from", "2000-01-01", "--to", "2020-01-01"]

  it("a long table shows its first and last rows, and how many are left out", () => {
    const lines = shown(table).split("\n")
    assert.isAtMost(lines.length, 30)
    assert.include(lines[0] ?? "", "\u001b[1mdate (UTC)")
    assert.match(lines[1] ?? "", /^2000-01-03/)
    assert.match(lines.join("\n"), /… 5,00\d more rows \(use --limit, --format csv or --out\)/)
    assert.match(lines.at(-2) ?? "", /^2019-12-31/)
    assert.match(lines.at(-1) ?? "", /5,031 rows of SPX 1d: /)
  })

  it("no colours with NO_COLOR or on a dumb terminal", () => {
    assert.notInclude(shown(table, "NO_COLOR=1"), "\u001b")
    assert.notInclude(shown(table, "TERM=dumb"), "\u001b")
  })

  it("a command that takes long tells how far it is, and erases it at the end", () => {
    const text = shown(["bars", ...slow, "--data-dir", "progress"])
    const erase = "\r\u001b[2K"
    assert.include(text, `${erase}\u001b[2mfetching SLOW 1m`)
    assert.match(text, /[1-4]\/5 requests {2}[1-4] rows/)
    assert.match(text, /ETA \d/)
    assert.match(text.slice(text.lastIndexOf(erase) + erase.length), /^.{4}time \(UTC\)/)
  })

  it("the coverage strip fits the width", () => {
    ok(where, "bars", ...spx, "--from", "2008-07-01", "--to", "2009-01-01")
    const text = shown(["coverage", ...spx, "--from", "2008-01-01", "--to", "2009-01-01"])
    assert.isTrue(text.split("\n").every((line) => line.length <= 100 || line.includes("\u001b")))
    assert.match(text, /█{20}/)
  })
})

describe("demo", () => {
  it("tells the story in under thirty seconds, of which twenty are live, and leaves nothing behind", () => {
    const directory = { cwd: scratch("demo") }
    const began = performance.now()
    const run = tapestry(directory, "demo", "--once")
    assert.strictEqual(run.code, 0, run.stderr)
    const took = performance.now() - began
    assert.isAtLeast(took, 20_000)
    assert.isBelow(took, 30_000)
    assert.match(run.stdout, /128 rows of SPX 1d: 0 from the store, 128 from sample in 1 request/)
    assert.match(run.stdout, /2008-07-01 {2}2009-01-01 {6}store {7}covered/)
    assert.match(run.stdout, /252 rows of SPX 1d: 128 from the store, 124 from sample in 1 request/)
    assert.match(run.stdout, /252 rows of SPX 1d: 252 from the store, no request made/)
    assert.match(run.stdout, /line 2199 of sp500-2000\.csv/)
    assert.match(run.stdout, /sha256 {4}[0-9a-f]{64}/)
    assert.match(run.stdout, /simulated, seed 7: not the prices of any market/)
    assert.match(run.stdout, /SPY +[\d,]+ +\d+\.\d\d +\d+\.\d\d /)
    assert.match(run.stdout, /\d s {2}the connection is cut, on purpose/)
    assert.match(run.stdout, /s {2}a gap is told: from \d\d:\d\d:\d\d on trades may be missing/)
    assert.match(run.stdout, /s {2}repaired: \d+ trades? between .* came from history/)
    assert.match(run.stdout, /none too few, none twice/)
    assert.strictEqual(run.stderr, "")
    assert.deepStrictEqual(readdirSync(directory.cwd), [])
  })

  it("with --json is one document, with --once and without", () => {
    const directory = { cwd: scratch("demo-next") }
    const document = json(directory, 0, "demo", "--once")
    assert.deepStrictEqual(Object.keys(json(directory, 0, "demo", "--live", "0")), Object.keys(document))
    const { gap, simulated, symbols, ticks, trades } = document.live
    assert.isTrue(simulated)
    assert.deepStrictEqual(symbols, ["SPY", "AAPL", "MSFT", "EUR.USD"])
    assert.isAbove(ticks, 20)
    assert.isAbove(Date.parse(gap.to), Date.parse(gap.from))
    assert.isAbove(trades.told, 5)
    assert.strictEqual(trades.told, trades.happened)
    assert.deepStrictEqual(
      [document.half.requests, document.plan.requests, document.year.requests, document.again.requests],
      [1, 1, 1, 0]
    )
    assert.strictEqual(document.explain.position, 2199)
    assert.deepStrictEqual(readdirSync(directory.cwd), [])
  })

  it("interrupted, it leaves nothing behind either", async () => {
    const directory = { cwd: scratch("demo-interrupted") }
    const child = start(directory, "demo")
    const end = ended(child)
    await until(() => readdirSync(directory.cwd).length > 0)
    child.kill("SIGINT")
    assert.strictEqual((await end).code, 130)
    assert.deepStrictEqual(readdirSync(directory.cwd), [])
  })
})
