/** `tapestry store policies`, `compress` and `retention`: with TimescaleDB, and what is left of them without it. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { workerIn } from "../support/tenants.ts"
import { onTimescale } from "../support/timescale.ts"
import { serving } from "./serving.ts"
import { json, ok, scratch, spx, tapestry, type Where } from "./tapestry.ts"

const range = ["--from", "2019-01-01", "--to", "2019-07-01"]
const bars = (where: Where, code: number, ...args: ReadonlyArray<string>) =>
  json(where, code, "bars", ...spx, ...range, ...args)

/** Days since an instant, in whole ones. */
const ageOf = (date: string) => `${Math.floor((Date.now() - Date.parse(date)) / 86_400_000)}d`

/** What goes is never claimed, and is there again when somebody asks the vendor for it. */
const retentionByRows = (where: Where) => {
  const { rowCount } = bars(where, 0)
  const old = ["store", "retention", "run", "bars", "--older-than", ageOf("2019-04-01T00:00:00Z")]
  const looked = json(where, 0, ...old)
  assert.deepInclude(looked, { kind: "bar", timeframe: null, before: Date.parse("2019-04-01T00:00:00Z"), done: false })
  assert.isAbove(looked.rows, 40)
  assert.match(ok(where, ...old), new RegExp(`before 2019-04-01.*: ${looked.rows} rows would go`))
  assert.strictEqual(bars(where, 0, "--policy", "cacheOnly").rowCount, rowCount)
  assert.deepInclude(json(where, 0, ...old, "--apply"), { rows: looked.rows, done: true })
  assert.deepInclude(json(where, 0, ...old, "--apply"), { rows: 0, done: true })
  const left = bars(where, 3, "--policy", "cacheOnly")
  assert.strictEqual(left.rowCount, rowCount - looked.rows)
  const states: ReadonlyArray<readonly [start: string, state: string]> = left.coverage.map(
    (piece: { readonly start: string; readonly status: string }) => [piece.start.slice(0, 10), piece.status]
  )
  assert.deepInclude(states, ["2019-04-01", "Covered"])
  for (const [start, tag] of states) assert.strictEqual(tag === "Covered", start >= "2019-04-01", `${start} ${tag}`)
  assert.deepStrictEqual(json(where, 0, "store", "status").kinds, [
    { kind: "bar", series: 1, rows: rowCount - looked.rows, revisions: 0 }
  ])
  assert.strictEqual(bars(where, 0).rowCount, rowCount)
}

const without = (where: Where, says: RegExp) => {
  const listed = json(where, 0, "store", "policies")
  assert.deepInclude(listed, { timescale: null, hypertables: [], policies: [] })
  assert.match(listed.message, says)
  for (const args of [
    ["policies", "apply"],
    ["policies", "chunks", "bars", "--every", "7d"],
    ["compress", "set", "bars", "--after", "30d"],
    ["compress", "remove", "bars"],
    ["compress", "run", "bars", "--older-than", "30d"],
    ["retention", "set", "bars", "--after", "30d"],
    ["retention", "remove", "bars"]
  ]) {
    const { error } = json(where, 1, "store", ...args)
    assert.match(error.message, /that needs TimescaleDB/)
  }
}

describe("tapestry store policies: without TimescaleDB", () => {
  it("market.sqlite: rows are dropped by command, the rest is said to be missing", () => {
    const where = { cwd: scratch("policies-sqlite") }
    assert.match(json(where, 0, "store", "policies").message, /nothing is stored/)
    assert.deepInclude(json(where, 0, "store", "retention", "run", "bars", "--older-than", "1d", "--apply"), {
      rows: 0,
      done: false
    })
    retentionByRows(where)
    without(where, /embedded store/)
  })

  it.live("plain PostgreSQL: the same", () =>
    Effect.gen(function* () {
      const where = { cwd: scratch("policies-postgres"), env: { DATABASE_URL: yield* bareDatabase } }
      retentionByRows(where)
      without(where, /without TimescaleDB/)
    })
  )

  it("a seed file makes tables and tenants, once, and its policies are said to be missing", () => {
    const where = { cwd: scratch("seed-sqlite") }
    const seed = (text: string) => {
      writeFileSync(join(where.cwd, "seed.yaml"), text)
      return ["store", "seed", "--file", "seed.yaml"]
    }
    assert.match(ok(where, ...seed("tenants: [acme, default]")), /migrate: .*\ntenants add acme\n|^tenants add acme\n/)
    assert.match(ok(where, ...seed("tenants: [acme]")), /nothing to do/)
    assert.match(json(where, 1, ...seed("tenants: [bolt]\ncompress: { bars: 30d }")).error.message, /needs TimescaleDB/)
    for (const [text, says] of [
      ["tenants: [Acme]", /seed.yaml.*tenants/s],
      ["retention: { bars: 30 }", /seed.yaml.*bars/s],
      ["retention: { bars 7m: 30d }", /seed.yaml/],
      ["compres: { bars: 30d }", /seed.yaml.*compres/s],
      ["tenants: [", /seed.yaml, line 1/]
    ] as const) {
      assert.match(json(where, 2, ...seed(text)).error.message, says)
    }
  })

  it("what cannot be meant is wrong usage", () => {
    const where = { cwd: scratch("policies-usage") }
    for (const args of [
      ["compress", "set", "bars", "--after", "soon"],
      ["compress", "set", "coverage", "--after", "30d"],
      ["policies", "chunks", "bars", "--every", "5m"],
      ["retention", "run", "news", "--timeframe", "1m", "--older-than", "30d"],
      ["retention", "run", "bars", "--timeframe", "7m", "--older-than", "30d"],
      ["retention", "set", "bars"],
      ["retention", "set", "bars", "--after", "1h"],
      ["seed"],
      ["seed", "--file", "nowhere.yaml"]
    ]) {
      assert.strictEqual(tapestry(where, "store", ...args).code, 2, args.join(" "))
    }
  })
})

onTimescale(({ bare }) => {
  describe("tapestry store policies: TimescaleDB", () => {
    it.live("hypertables, policies and what became of chunks are shown, changed and removed", () =>
      Effect.gen(function* () {
        const where = { cwd: scratch("policies-timescale"), env: { DATABASE_URL: yield* bare } }
        assert.match(json(where, 1, "store", "policies", "apply").error.message, /tapestry store migrate/)
        const { rowCount } = bars(where, 0)
        const csv = ok(where, "bars", ...spx, ...range, "--policy", "cacheOnly", "--format", "csv")
        assert.match(ok(where, "store", "policies"), /no table is a hypertable yet/)
        assert.lengthOf(json(where, 0, "store", "policies", "apply").made, 10)
        assert.match(ok(where, "store", "policies", "apply"), /nothing to do/)
        ok(where, "store", "policies", "chunks", "trades", "--every", "1d")
        ok(where, "store", "compress", "set", "bars", "--after", "60d")
        ok(where, "store", "compress", "set", "bars", "--after", "30d")
        ok(where, "store", "retention", "set", "quotes", "--after", "365d")
        ok(where, "store", "retention", "set", "bars", "--timeframe", "1m", "--after", "1825d")
        const listed = json(where, 0, "store", "policies")
        const day = 86_400_000
        const chunkOf = (name: string) =>
          listed.hypertables.find(({ table }: { readonly table: string }) => table === name).chunkMillis
        assert.deepStrictEqual(["bars", "trades"].map(chunkOf), [30 * day, day])
        assert.deepStrictEqual(
          listed.policies.map((one: Record<string, unknown>) => [one.action, one.of, one.afterMillis]),
          [
            ["compress", "bars", 30 * day],
            ["retention", "bar 1m", 1825 * day],
            ["retention", "quote", 365 * day]
          ]
        )
        const status = json(where, 0, "store", "status")
        assert.deepStrictEqual(status.timescale.policies.length, 3)
        const shown = ok(where, "store", "status")
        assert.match(shown, /retention +bar 1m +1825 d/)
        assert.match(shown, /bars +30 d/)
        assert.notInclude(shown, "\u001b")
        // Who only works in the database sees the rest, and is told.
        const worker = { cwd: where.cwd, env: { DATABASE_URL: yield* workerIn(where.env.DATABASE_URL) } }
        assert.deepInclude(json(worker, 0, "store", "status"), { timescale: null, policiesWithheld: true })
        assert.match(
          ok(worker, "store", "status"),
          /TimescaleDB is there; its policies are shown to the user who migrates/
        )
        assert.match(json(worker, 1, "store", "policies").error.message, /permission denied for schema tapestry_base/)
        const compressed = json(where, 0, "store", "compress", "run", "bars", "--older-than", "30d")
        assert.strictEqual(compressed.compressed, compressed.chunks)
        assert.strictEqual(ok(where, "bars", ...spx, ...range, "--policy", "cacheOnly", "--format", "csv"), csv)
        ok(where, "store", "compress", "remove", "bars")
        ok(where, "store", "retention", "remove", "quotes")
        ok(where, "store", "retention", "remove", "bars", "--timeframe", "1m")
        assert.match(ok(where, "store", "retention", "remove", "quotes"), /nothing to do/)
        assert.deepStrictEqual(json(where, 0, "store", "policies").policies, [])

        // Whole chunks go, as far as the last that is old enough.
        const old = ["store", "retention", "run", "bars", "--older-than", ageOf("2019-05-01T00:00:00Z")]
        const looked = json(where, 0, ...old)
        assert.isAbove(looked.chunks, 2)
        assert.strictEqual(bars(where, 0, "--policy", "cacheOnly").rowCount, rowCount)
        assert.deepInclude(json(where, 0, ...old, "--apply"), { rows: looked.rows, chunks: looked.chunks, done: true })
        assert.strictEqual(bars(where, 3, "--policy", "cacheOnly").rowCount, rowCount - looked.rows)
        assert.match(ok(where, ...old), /nothing to do/)
        assert.strictEqual(bars(where, 0).rowCount, rowCount)
      })
    )

    it.live("a seed file from nothing, again, and with another age", () =>
      Effect.gen(function* () {
        const where = { cwd: scratch("seed-timescale"), env: { DATABASE_URL: yield* bare } }
        const seed = (text: string) => {
          writeFileSync(join(where.cwd, "seed.yaml"), text)
          return ["store", "seed", "--file", "seed.yaml"]
        }
        const text = [
          "tenants: [acme]",
          "chunks: { trades: 1d, bars: 30d }",
          "compress: { bars: 30d }",
          "retention: { quotes: 365d, bars 1m: 1825d }",
          "aggregates: { 5m: 1h }"
        ].join("\n")
        const { done } = json(where, 0, ...seed(text))
        assert.deepStrictEqual(
          done.map((line: string) => line.replace(/:.*/, "")),
          [
            "migrate",
            "tenants add acme",
            "policies apply",
            "policies chunks trades",
            "compress set bars",
            "aggregates add 5m",
            "retention set quotes",
            "retention set bars 1m"
          ]
        )
        assert.deepStrictEqual(json(where, 0, ...seed(text)).done, [])
        assert.deepStrictEqual(json(where, 0, ...seed(text.replace("365d", "90d"))).done, ["retention set quotes"])
        const { policies } = json(where, 0, "store", "policies")
        const day = 86_400_000
        assert.deepStrictEqual(
          policies.map((one: Record<string, unknown>) => [one.action, one.of, one.afterMillis]),
          [
            ["compress", "bars", 30 * day],
            ["refresh", "5m", 300_000],
            ["retention", "bar 1m", 1825 * day],
            ["retention", "quote", 90 * day]
          ]
        )
      })
    )

    it.live(
      "longer bars are made of those of a minute where there are no others, beside an owner, too, and say so",
      () =>
        Effect.gen(function* () {
          const where = { cwd: scratch("derived-timescale"), env: { DATABASE_URL: yield* bare } }
          const at = (minute: number) => new Date(Date.parse("2024-03-04T14:30:00Z") + minute * 60_000).toISOString()
          const file = (name: string, rows: ReadonlyArray<object>) => {
            writeFileSync(join(where.cwd, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
            return name
          }
          const row = (minute: number, close: number) => ({
            ts: at(minute),
            open: 1,
            high: 9,
            low: 0.5,
            close,
            volume: 2
          })
          const minutes = Array.from({ length: 120 }, (_, index) => row(index, 1 + (index % 7)))
          const acme = ["--vendor", "acme", "--symbol", "SPY"]
          ok(where, "ingest", "bars", file("minutes.ndjson", minutes), ...acme, "--timeframe", "1m")
          const asked = (from: number, to: number, timeframe = "5m") => [
            "bars",
            "SPY",
            ...["--vendor", "acme", "--timeframe", timeframe, "--from", at(from), "--to", at(to)]
          ]
          assert.deepInclude(json(where, 3, ...asked(0, 120)), { rowCount: 0 })
          assert.match(
            json(where, 1, "store", "aggregates", "add", "5m").error.message,
            /tapestry store policies apply/
          )
          ok(where, "store", "policies", "apply")
          assert.strictEqual(tapestry(where, "store", "aggregates", "refresh", "5m").code, 2)
          ok(where, "store", "aggregates", "add", "5m")
          ok(where, "store", "aggregates", "add", "1h", "--every", "1d")
          assert.match(ok(where, "store", "policies"), /refresh +5m +5 min +60 min|refresh +5m +5 min +1 h/)

          const from = "v1/acme/-/SPY/bar/1m/trade/regular/-/raw"
          const whole = json(where, 0, ...asked(0, 120))
          assert.deepInclude(whole, { rowCount: 24, requests: 0, derived: { from } })
          // Of a bar that lacks a minute nothing is said.
          const wide = json(where, 3, ...asked(-30, 240, "1h"))
          assert.deepInclude(wide, { rowCount: 1, derived: { from } })
          assert.deepStrictEqual(
            wide.coverage.map(({ end, start, status }: Record<string, string>) => [start, end, status]),
            [
              [at(-30), at(30), "Missing"],
              [at(30), at(90), "Covered"],
              [at(90), at(240), "Missing"]
            ]
          )
          const run = tapestry(where, ...asked(0, 120), "--format", "csv")
          assert.match(run.stderr, /derived: made of 1m bars that are stored, not acme's own 5m/)
          assert.lengthOf(run.stdout.trimEnd().split("\n"), 25)
          assert.match(run.stdout, /2024-03-04T14:35.*,1,9,0\.5,3,10,/)
          assert.match(ok(where, "store", "aggregates", "refresh", "5m"), /up to 2024-03-04T16:/)
          assert.strictEqual(tapestry(where, ...asked(0, 120), "--format", "csv").stdout, run.stdout)

          const owner = yield* Effect.promise(() => serving(where, "--http", "off"))
          const theirs = tapestry(where, ...asked(0, 120), "--format", "csv")
          assert.strictEqual(theirs.stdout, run.stdout)
          assert.match(theirs.stderr, /derived: made of 1m/)
          owner.child.kill("SIGTERM")
          yield* Effect.promise(() => owner.end)

          // With one bar of the vendor's own there are only those.
          ok(where, "ingest", "bars", file("own.ndjson", [row(10, 5)]), ...acme, "--timeframe", "5m")
          const own = json(where, 3, ...asked(0, 120))
          assert.deepInclude(own, { rowCount: 1 })
          assert.notProperty(own, "derived")
          ok(where, "store", "aggregates", "remove", "1h")
          assert.match(ok(where, "store", "aggregates", "remove", "1h"), /nothing to do/)
          assert.deepInclude(json(where, 3, ...asked(30, 90, "1h")), { rowCount: 0 })
        })
    )
  })
})
