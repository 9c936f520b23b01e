/** Everything into files by a template, and back, exactly. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { bareDatabase } from "../support/postgres.ts"
import { json, ok, scratch, tapestry, type Where } from "./tapestry.ts"

const nasty = 'quoted " and \\ and \n, ü \u{1F4C8} \u2028'

/** Rows of every kind, with what is hard to write down. */
const rows: Readonly<Record<string, ReadonlyArray<object>>> = {
  bars: [
    {
      vendor: "acme",
      symbol: "SPY",
      timeframe: "1m",
      ts: "2026-06-19T13:30:00Z",
      open: 1.1,
      high: 2,
      low: 0.1,
      close: 2,
      volume: 0.30000000000000004
    },
    {
      vendor: "acme",
      symbol: "brk/b",
      timeframe: "1d",
      ts: "2026-06-19",
      open: 1,
      high: 2,
      low: 1,
      close: 2,
      volume: null
    }
  ],
  trades: [
    { vendor: "acme", symbol: "SPY", tsNs: "1781875800000000001", price: 5e-324, size: 1, sequence: 7 },
    { vendor: "acme", symbol: "SPY", tsNs: "1781875800000000002", price: 1.7976931348623157e308, size: 2, sequence: 8 }
  ],
  quotes: [{ vendor: "acme", symbol: "SPY", tsNs: "1781875800000000003", bid: 1, ask: 2, bidSize: 3, askSize: null }],
  news: [
    { vendor: "wire", symbol: "SPY", ts: "2026-06-19T00:00:00Z", title: nasty, url: null },
    { vendor: "wire", symbol: "SPY", ts: "2026-06-19T00:00:01Z", title: "null", url: "" }
  ],
  signals: [
    {
      vendor: "acme",
      symbol: "SPY",
      ts: "2026-06-20T00:00:00Z",
      name: "s|1",
      value: -0.1,
      metadata: { a: [null, "x"] }
    }
  ]
}

const filled = (where: Where) => {
  for (const [kind, of] of Object.entries(rows)) {
    writeFileSync(join(where.cwd, `${kind}.in`), of.map((row) => `${JSON.stringify(row)}\n`).join(""))
    ok(where, "ingest", kind, `${kind}.in`, "--symbol-case", "exact")
  }
  return where
}

const textOf = (file: string): string => {
  const bytes = readFileSync(file)
  if (file.endsWith(".gz")) return gunzipSync(bytes).toString()
  return file.endsWith(".zst") ? zstdDecompressSync(bytes).toString() : bytes.toString()
}

const stores: ReadonlyArray<readonly [string, (name: string) => Effect.Effect<Where, never, Scope.Scope>]> = [
  ["market.sqlite", (name) => Effect.sync(() => ({ cwd: scratch(name) }))],
  ["PostgreSQL", (name) => Effect.map(bareDatabase, (url) => ({ cwd: scratch(name), env: { DATABASE_URL: url } }))]
]

for (const [store, made] of stores) {
  describe(`tapestry dump all (${store})`, () => {
    it.live(
      "C74 writes each kind into a file of the template, and restore all takes them back exactly, again and again",
      () =>
        Effect.gen(function* () {
          const where = filled(yield* made("dump-all"))
          const { files } = json(
            where,
            0,
            "dump",
            "all",
            "out/{tenant}/{table}-{vendor}-{symbol}-{start}-{end}.ndjson.zst"
          )
          assert.deepStrictEqual(files, [
            { kind: "bars", file: "out/default/bars-ALL-ALL-MIN-MAX.ndjson.zst", rows: 2 },
            { kind: "trades", file: "out/default/trades-ALL-ALL-MIN-MAX.ndjson.zst", rows: 2 },
            { kind: "quotes", file: "out/default/quotes-ALL-ALL-MIN-MAX.ndjson.zst", rows: 1 },
            { kind: "news", file: "out/default/news-ALL-ALL-MIN-MAX.ndjson.zst", rows: 2 },
            { kind: "signals", file: "out/default/signals-ALL-ALL-MIN-MAX.ndjson.zst", rows: 1 }
          ])
          const other = yield* made("restore-all")
          const from = join(where.cwd, "out/{tenant}/{table}-{vendor}-{symbol}-{start}-{end}.ndjson.zst")
          const first = json(other, 0, "restore", "all", from)
          assert.deepStrictEqual(
            first.files.map((one: { kind: string; inserted: number }) => [one.kind, one.inserted]),
            [
              ["bar", 2],
              ["trade", 2],
              ["quote", 1],
              ["news", 2],
              ["signal", 1]
            ]
          )
          for (const format of ["ndjson.gz", "csv", "arrow"]) {
            json(other, 0, "dump", "all", `again/{kind}.${format}`)
            json(where, 0, "dump", "all", `again/{kind}.${format}`)
            const names = readdirSync(join(where.cwd, "again")).filter((name) => name.endsWith(format))
            assert.lengthOf(names, 5)
            for (const name of names) {
              assert.strictEqual(textOf(join(other.cwd, "again", name)), textOf(join(where.cwd, "again", name)), name)
            }
          }
          const again = json(other, 0, "restore", "all", from)
          for (const { inserted, updated } of again.files) assert.deepStrictEqual([inserted, updated], [0, 0])
        }),
      120_000
    )
  })
}

describe("tapestry dump all", () => {
  it("narrows down what it writes, and names the files after that", () => {
    const where = filled({ cwd: scratch("dump-some") })
    const day = ["--from", "2026-06-19", "--to", "2026-06-19T13:31:00Z", "--vendor", "acme"]
    const { files } = json(
      where,
      0,
      "dump",
      "all",
      "{kind}-{vendor}-{from}-{to}.ndjson",
      ...day,
      "--only",
      "bars,news,trades"
    )
    assert.deepStrictEqual(files, [
      { kind: "bars", file: "bars-acme-2026-06-19-2026-06-19T133100.000Z.ndjson", rows: 2 },
      { kind: "trades", file: "trades-acme-2026-06-19-2026-06-19T133100.000Z.ndjson", rows: 2 }
    ])
  })

  it("goes on where it ended: what is there is left, and nothing is ever there by half", () => {
    const where = filled({ cwd: scratch("dump-resumed") })
    writeFileSync(join(where.cwd, "bars.ndjson"), "as it is")
    const { files } = json(where, 0, "dump", "all", "{kind}.ndjson", "--skip-existing")
    assert.deepStrictEqual(files[0], { kind: "bars", file: "bars.ndjson", rows: null })
    assert.strictEqual(readFileSync(join(where.cwd, "bars.ndjson"), "utf8"), "as it is")
    ok(where, "dump", "all", "{kind}.ndjson")
    assert.match(readFileSync(join(where.cwd, "bars.ndjson"), "utf8"), /"SPY"/)
    assert.deepStrictEqual(
      readdirSync(where.cwd).filter((name) => name.includes(".tmp")),
      []
    )
    // A place that cannot be written: what was written before is named.
    writeFileSync(join(where.cwd, "quotes"), "a file where a directory should be")
    const failed = tapestry(where, "dump", "all", "{kind}/rows.ndjson")
    assert.strictEqual(failed.code, 1)
    assert.match(
      failed.stderr,
      /bars\/rows\.ndjson, trades\/rows\.ndjson are complete; the same command with --skip-existing/
    )
    assert.isFalse(existsSync(join(where.cwd, "news/rows.ndjson")))
  })

  it("says what is wrong with a template, and that nothing is stored", () => {
    const where = { cwd: scratch("dump-wrong") }
    for (const [template, said] of [
      ["out.ndjson", /has no \{kind\}/],
      ["{kind}-{date}.ndjson", /\{date\} is nothing that a name can have/],
      ["{kind}-{from.ndjson", /a brace without its other one/]
    ] as const) {
      const run = tapestry(where, "dump", "all", template)
      assert.strictEqual(run.code, 2)
      assert.match(run.stderr, said)
    }
    assert.strictEqual(tapestry(where, "dump", "all", "{kind}.ndjson").code, 1)
    assert.strictEqual(tapestry(where, "restore", "all", "{kind}.ndjson").code, 2)
  })
})
