/** `tapestry store policies`, `compress` and `retention`: with TimescaleDB, and what is left of them without it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { onTimescale } from "../support/timescale.ts"
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

  it("what cannot be meant is wrong usage", () => {
    const where = { cwd: scratch("policies-usage") }
    for (const args of [
      ["compress", "set", "bars", "--after", "soon"],
      ["compress", "set", "coverage", "--after", "30d"],
      ["policies", "chunks", "bars", "--every", "5m"],
      ["retention", "run", "news", "--timeframe", "1m", "--older-than", "30d"],
      ["retention", "run", "bars", "--timeframe", "7m", "--older-than", "30d"],
      ["retention", "set", "bars"]
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
  })
})
