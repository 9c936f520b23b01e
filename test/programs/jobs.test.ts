/** `tapestry backfill` and `tapestry jobs` as the built command line has them, alone and beside an owner. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { freshDatabase } from "../support/postgres.ts"
import { serving, until, watched } from "./serving.ts"
import { json, ok, scratch, spx, tapestry, type Where } from "./tapestry.ts"

const years = ["--from", "2000-01-01", "--to", "2002-01-01"] as const
const backfill = ["backfill", ...spx, ...years] as const

/** Files of a vendor that lets one request through in `span` ms. */
const paced = (name: string, span: number): Where => {
  const where = { cwd: scratch(name) }
  mkdirSync(join(where.cwd, "paced"))
  for (const day of ["01", "02", "03", "04", "05", "06"]) {
    const row = `ts,open,high,low,close,volume\n2024-02-${day}T15:00:00Z,1,2,1,2,10\n`
    writeFileSync(join(where.cwd, "paced", `SLOW-202402${day}.csv`), row)
  }
  writeFileSync(
    join(where.cwd, "tapestry.yaml"),
    `vendors:
  paced:
    adapter: file
    root: paced
    path: "{SYMBOL}-{yyyyMMdd}.csv"
    timestamp: iso
    timeframe: 1m
    quota: { windows: [{ name: slow, limit: 1, span: ${span}, key: null }] }
`
  )
  return where
}
const slow = [
  "backfill",
  "SLOW",
  "--vendor",
  "paced",
  "--timeframe",
  "1m",
  "--from",
  "2024-02-01",
  "--to",
  "2024-02-07"
]

/** Requests that the newest job has made; 0 also while its process is still making the data directory. */
const doneOf = (where: Where): number => {
  const { code, stdout } = tapestry(where, "jobs", "list", "--json")
  return code === 0 ? (JSON.parse(stdout).jobs[0]?.run?.progress.done ?? 0) : 0
}

const stateOf = (where: Where, job: string): string => json(where, 0, "jobs", "show", job).job.state

describe("tapestry backfill", () => {
  it("has the bars, says so, and does it again when asked", () => {
    const where = { cwd: scratch("backfill") }
    const first = tapestry(where, ...backfill)
    assert.strictEqual(first.code, 0, first.stderr)
    assert.match(first.stdout, /^500 rows of SPX: 500 of them from sample in \d+ requests?; job [0-9a-f]{8}, completed/)
    assert.strictEqual(ok(where, "bars", ...spx, ...years, "--format", "csv").split("\n").length, 502)
    const second = tapestry(where, ...backfill)
    assert.strictEqual(second.code, 0)
    assert.match(second.stderr, /this was done before, by job [0-9a-f]{8}; --again does it anew/)
    const third = json(where, 0, ...backfill, "--again")
    assert.deepInclude(third.run.outcome, { rows: 0, rowsStored: 500, requests: 0 })
    assert.strictEqual(json(where, 0, "jobs", "list").jobs.length, 2)
  })

  it("without --to ends with the day before, so that the same command is the same job", () => {
    const where = { cwd: scratch("backfill-open") }
    const open = [...spx, "--from", "2009-01-01", "--detach"]
    const first = json(where, 0, "backfill", ...open)
    assert.isTrue(first.created)
    assert.strictEqual(first.job.payload.range.end % 86_400_000, 0)
    const second = json(where, 0, "backfill", ...open)
    // Unless midnight has come in between.
    if (second.job.payload.range.end === first.job.payload.range.end) assert.strictEqual(second.job.id, first.job.id)
  })

  it("keeps its job, its rows and their coverage in PostgreSQL where that is the store", async () => {
    await Effect.runPromise(
      Effect.scoped(
        Effect.map(freshDatabase, (url) => {
          const where = { cwd: scratch("backfill-postgres"), env: { DATABASE_URL: url } }
          const { job, run } = json(where, 0, ...backfill)
          assert.strictEqual(job.state, "completed")
          assert.deepInclude(run.outcome, { rows: 500, rowsStored: 500, holeCount: 0 })
          assert.strictEqual(json(where, 0, "jobs", "show", job.id.slice(0, 8)).job.id, job.id)
          assert.isTrue(json(where, 0, "jobs", "retry", job.id).created)
          assert.match(ok(where, "jobs", "list", "--state", "live"), /queued/)
        })
      )
    )
  }, 60_000)

  it("ends as bars does: 3 where a part could not be had, 1 where nothing could", () => {
    const where = { cwd: scratch("backfill-codes") }
    const part = tapestry(where, "backfill", "NOPE", "SPX", "--vendor", "sample", "--timeframe", "1d", ...years)
    assert.strictEqual(part.code, 3, part.stderr)
    assert.match(part.stderr, /not had: NOPE 2000-01-01 to 2002-01-01: sample: no files for symbol NOPE/)
    const none = tapestry(where, "backfill", "NOPE", "--vendor", "sample", "--timeframe", "1d", ...years)
    assert.strictEqual(none.code, 1)
    assert.match(none.stderr, /error: job [0-9a-f]{8} has failed: .*NOPE/)
    assert.match(json(where, 0, "jobs", "list", "--state", "failed").jobs[0].job.error, /NOPE/)
    const nobody = json(where, 1, "backfill", "SPX", "--vendor", "nobody", "--timeframe", "1d", ...years)
    assert.strictEqual(nobody.error.reason, "UnknownVendor")
    assert.strictEqual(json(where, 0, "jobs", "list").jobs.length, 2)
  })

  it("what cannot be meant is wrong usage, and queues nothing", () => {
    const where = { cwd: scratch("backfill-usage") }
    const wrong: ReadonlyArray<ReadonlyArray<string>> = [
      ["backfill", "--vendor", "sample", "--timeframe", "1d", ...years],
      ["backfill", ...spx],
      ["backfill", ...spx, "--from", "2002-01-01", "--to", "2001-01-01"],
      [...backfill, "--attempts", "0"],
      [...backfill, "--cron", "0 6 * * *"],
      [...backfill, "--tz", "UTC"],
      ["backfill", ...spx, "--last", "5d", "--cron", "every day"],
      ["backfill", ...spx, "--last", "5d", "--cron", "0 6 * * *", "--tz", "Mars/Olympus"],
      ["jobs", "enqueue", "backfill", "--payload", "{"],
      ["jobs", "enqueue", "backfill", "--payload", "{}"],
      ["jobs", "enqueue", "repaint", "--payload", "{}"],
      ["jobs", "enqueue", "backfill", "--payload", '{"vendor":"nobody","symbols":["A"],"timeframe":"1d","last":1000}'],
      ["jobs", "enqueue", "backfill", "--payload", "@nothing.json"],
      ["jobs", "stuck", "0"],
      ["jobs", "cleanup", "0"],
      ["jobs", "cleanup"],
      ["jobs", "list", "--limit", "0"],
      ["jobs", "work", "--concurrency", "0"],
      ["serve", "--jobs", "-1"]
    ]
    for (const words of wrong) {
      const { code, stdout } = tapestry(where, ...words)
      assert.strictEqual(`${code} ${stdout}`, "2 ", words.join(" "))
    }
    assert.strictEqual(ok(where, "jobs", "list"), "no jobs\n")
  })

  it("interrupted, it is put aside, and the same command goes on with it", async () => {
    const where = paced("backfill-interrupted", 2_000)
    const first = watched(where, ...slow)
    await until(() => doneOf(where) >= 2)
    first.child.kill("SIGINT")
    const { code, stderr } = await first.end
    assert.strictEqual(code, 130, stderr)
    assert.match(stderr, /interrupted; what was fetched is kept/)
    assert.notInclude(stderr, "runners")
    const [aside] = json(where, 0, "jobs", "list").jobs
    assert.strictEqual(aside.job.state, "queued")
    assert.strictEqual(aside.run.status, "suspended")
    const second = json(where, 0, ...slow)
    assert.strictEqual(second.job.id, aside.job.id)
    assert.deepInclude(second.run.outcome, { rowsStored: 6, requests: 6, holeCount: 0 })
    assert.strictEqual(json(where, 0, "archive", "responses").responses.length, 6)
  }, 60_000)
})

describe("tapestry jobs", () => {
  it("queues, shows, cancels, repeats and forgets", () => {
    const where = { cwd: scratch("jobs") }
    const payload = JSON.stringify({ vendor: "sample", symbols: ["SPX"], timeframe: "1d", last: 864_000_000 })
    const queued = tapestry(
      where,
      "jobs",
      "enqueue",
      "backfill",
      "--payload",
      payload,
      "--key",
      "nightly",
      "--priority",
      "high"
    )
    assert.strictEqual(queued.code, 0, queued.stderr)
    const id = queued.stdout.trim()
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.match(queued.stderr, /tapestry serve and tapestry jobs work run jobs/)
    const known = json(where, 0, "jobs", "enqueue", "backfill", "--payload", payload, "--key", "nightly", "--again")
    assert.deepInclude(known, { created: false })
    assert.strictEqual(known.job.id, id)
    assert.match(ok(where, "jobs", "list", "--state", "live"), new RegExp(`${id.slice(0, 8)} +queued +high +backfill`))
    assert.match(ok(where, "jobs", "show", id.slice(0, 8)), new RegExp(`job +${id}`))
    assert.strictEqual(json(where, 0, "jobs", "stuck", "15").jobs.length, 0)
    assert.match(ok(where, "jobs", "cancel", id), /is cancelled/)
    const twice = tapestry(where, "jobs", "cancel", id)
    assert.strictEqual(twice.code, 1)
    assert.match(twice.stderr, /is cancelled, and stays so/)
    const retried = json(where, 0, "jobs", "retry", id)
    assert.isTrue(retried.created)
    assert.strictEqual(retried.job.key, "nightly")
    assert.strictEqual(retried.job.priority, "high")
    assert.deepStrictEqual(json(where, 0, "jobs", "cleanup", "90").removed, 0)
    assert.strictEqual(json(where, 0, "jobs", "list").jobs.length, 2)
    assert.strictEqual(json(where, 1, "jobs", "show", "00000000").error.reason, "UnknownJob")
  })

  it("a schedule is queued for when it says so", () => {
    const where = { cwd: scratch("jobs-cron") }
    const cron = ["--cron", "30 6 * * 1-5", "--tz", "America/New_York"]
    const { created, job } = json(where, 0, "backfill", ...spx, "--last", "10d", ...cron)
    assert.isTrue(created)
    assert.deepStrictEqual(job.schedule, { cron: "30 6 * * 1-5", zone: "America/New_York" })
    assert.deepInclude(job.payload, { last: 864_000_000 })
    const local = new Intl.DateTimeFormat("en-GB", {
      timeZone: "America/New_York",
      hour: "2-digit",
      minute: "2-digit"
    }).format(new Date(job.notBefore))
    assert.strictEqual(local, "06:30")
  })

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    it(`work runs what is queued, by itself, and ends with 0 on ${signal}`, async () => {
      const where = { cwd: scratch("jobs-work") }
      const id = ok(where, ...backfill, "--detach").trim()
      assert.strictEqual(stateOf(where, id), "queued")
      const work = watched(where, "jobs", "work")
      await until(() => stateOf(where, id) === "completed", work.stderr)
      // Queued beside it, through its socket.
      const next = ok(where, ...backfill, "--again", "--detach").trim()
      await until(() => stateOf(where, next) === "completed", work.stderr)
      const second = tapestry(where, "jobs", "work")
      assert.strictEqual(second.code, 1)
      assert.match(second.stderr, new RegExp(`in use by process ${work.child.pid}`))
      work.child.kill(signal)
      const { code, stdout } = await work.end
      assert.strictEqual(code, 0)
      assert.match(stdout, /^running the jobs of /)
    }, 60_000)
  }

  it("serve runs jobs beside serving, unless it is told not to; cancelling one that runs ends it", async () => {
    const where = paced("jobs-serve", 3_000)
    const server = await serving(where)
    const running = ok(where, ...slow, "--detach").trim()
    await until(() => json(where, 0, "jobs", "show", running).runs[0]?.progress.done >= 1, server.stderr)
    assert.match(ok(where, "jobs", "cancel", running), /is cancelled/)
    assert.strictEqual(stateOf(where, running), "cancelled")
    // Waited for through the owner's socket, it is told the same.
    const through = tapestry(where, ...backfill)
    assert.strictEqual(through.code, 0, through.stderr)
    assert.match(through.stdout, /^500 rows of SPX/)
    server.child.kill("SIGTERM")
    assert.strictEqual((await server.end).code, 0)

    const idle = await serving(where, "--jobs", "0")
    const waiting = ok(where, ...backfill, "--again", "--detach").trim()
    // Those that are waited for are run all the same.
    const own = json(where, 0, "backfill", ...spx, "--from", "2003-01-01", "--to", "2004-01-01")
    assert.strictEqual(own.job.state, "completed")
    assert.strictEqual(stateOf(where, waiting), "queued")
    idle.child.kill("SIGTERM")
    assert.strictEqual((await idle.end).code, 0)
  }, 60_000)

  it("an owner that is killed in the middle leaves a command that waits to go on by itself", async () => {
    const where = paced("jobs-killed", 1_000)
    const server = await serving(where)
    const waiting = watched(where, ...slow, "--json")
    await until(() => doneOf(where) >= 2, server.stderr)
    server.child.kill("SIGKILL")
    await server.end
    const { code, stderr, stdout } = await waiting.end
    assert.strictEqual(code, 0, stderr)
    const { job, run } = JSON.parse(stdout)
    assert.deepInclude(job, { state: "completed", attempts: 1 })
    assert.deepInclude(run.outcome, { rowsStored: 6, holeCount: 0 })
    assert.strictEqual(json(where, 0, "archive", "responses").responses.length, 6)
  }, 60_000)
})

describe("documents of jobs", () => {
  it("have the fields that docs/cli.md names", () => {
    const manual = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8")
    const at = manual.indexOf("**`backfill`**, **`jobs list`**")
    const told = manual.slice(at, manual.indexOf("\n\n", at))
    const where = { cwd: scratch("jobs-documents") }
    const { job, run } = json(where, 0, ...backfill)
    const { runs } = json(where, 0, "jobs", "show", job.id)
    assert.deepStrictEqual(runs, [run])
    const fields = [job, run, run.progress, run.outcome].flatMap((document) => Object.keys(document))
    assert.deepStrictEqual(
      fields.filter((field) => !told.includes(`\`${field}\``)),
      []
    )
  })
})
