/**
 * Claim: a plan over 100,000 stored coverage intervals takes 100 ms, store included. Two shapes: intervals of two kinds side by
 * side with a hole every hundred, and, the worst there is, a hole after each interval, which makes 100,000 priced requests.
 *
 * Run: `npm run bench -- plan`. Baseline: better-sqlite3 that only reads the same 100,000 rows as arrays from the very same
 * file. Medians of five.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import Database from "better-sqlite3"
import { Effect, Layer } from "effect"
import type { StoredCoverage } from "../src/domain/Coverage.ts"
import { ResponseId } from "../src/domain/Response.ts"
import type { SeriesKey } from "../src/domain/SeriesKey.ts"
import * as CalendarLive from "../src/layers/calendar/CalendarLive.ts"
import * as IngestSessionLive from "../src/layers/ingest/IngestSessionLive.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import * as ProvenanceStoreSqlite from "../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../src/layers/registry/AdapterRegistryInMemory.ts"
import * as StitchingCacheLive from "../src/layers/stitching/StitchingCacheLive.ts"
import * as ModelVendor from "../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { MarketStore } from "../src/services/MarketStore.ts"
import { StitchingCache } from "../src/services/StitchingCache.ts"

const intervals = 100_000
const runs = 5
const minute = 60_000
const start = Date.UTC(2015, 0, 1)
const target = 100

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const vendor = ModelVendor.make()
const mosaic = vendor.series("ALPHA", "1m")
const comb = vendor.series("BETA", "1m")
const response = ResponseId.make(1)

const coverageOf = (
  stride: (index: number) => number
): ReadonlyArray<Pick<StoredCoverage, "start" | "end" | "state">> => {
  let at = start
  return Array.from({ length: intervals }, (_, index) => {
    const interval = { start: at, end: at + minute }
    at += stride(index) * minute
    const covered = { _tag: "Covered", response } as const
    return {
      ...interval,
      state: index % 2 === 0 ? covered : ({ _tag: "Empty", response, recheckAfter: null } as const)
    }
  })
}

const shapes = [
  {
    name: "a hole every hundred intervals",
    series: mosaic,
    coverage: coverageOf((index) => (index % 100 === 99 ? 2 : 1))
  },
  { name: "a hole after every interval", series: comb, coverage: coverageOf(() => 2) }
]

const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
const filename = join(directory, "market.sqlite")

const layer = StitchingCacheLive.layer.pipe(
  Layer.provideMerge(IngestSessionLive.layer),
  Layer.provideMerge(
    Layer.mergeAll(
      ProvenanceStoreSqlite.layer({ directory }),
      MarketStoreSqlite.layer({ filename }),
      QuotaSqlite.layer({ filename: join(directory, "quota.sqlite") }),
      CalendarLive.layer,
      Layer.effectDiscard(
        Effect.gen(function* () {
          const registry = yield* AdapterRegistry
          yield* Effect.orDie(registry.register(Effect.succeed(vendor.adapter)))
        })
      ).pipe(Layer.provideMerge(AdapterRegistryInMemory.layer))
    )
  ),
  Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer))
)

const bare = (): number => {
  const db = new Database(filename, { readonly: true })
  const select = db
    .prepare<[number], Array<number | null>>("select * from coverage where generation = ? order by start_ts")
    .raw(true)
  const begun = performance.now()
  const rows = select.all(1).length
  const elapsed = performance.now() - begun
  db.close()
  if (rows !== intervals) throw new Error(`read ${rows} of ${intervals} rows`)
  return elapsed
}

const timed = Effect.fnUntraced(function* (series: SeriesKey, end: number, holes: number) {
  const cache = yield* StitchingCache
  const begun = performance.now()
  const plan = yield* cache.plan({ series, range: { start, end } })
  const elapsed = performance.now() - begun
  if (plan.requests.length !== holes || plan.pieces.length !== intervals + holes) {
    return yield* Effect.die(new Error(`${plan.pieces.length} pieces and ${plan.requests.length} requests`))
  }
  return elapsed
})

const program = Effect.gen(function* () {
  const store = yield* MarketStore
  for (const { coverage, series } of shapes) {
    yield* store.commit({ series, response, fetchedAt: start, decoderVersion: 1, bars: [], positions: [], coverage })
  }
  const baselines: Array<number> = []
  const measured = shapes.map(() => [] as Array<number>)
  for (let run = 0; run < runs; run++) {
    baselines.push(bare())
    for (const [index, { coverage, series }] of shapes.entries()) {
      const end = (coverage.at(-1)?.end ?? start) + minute
      const holes = index === 0 ? intervals / 100 : intervals
      measured[index]?.push(yield* timed(series, end, holes))
    }
  }
  const baseline = median(baselines)
  console.log(`plan over ${intervals.toLocaleString("en")} coverage intervals (median of ${runs})`)
  console.log(`  baseline, bare read of the rows   ${baseline.toFixed(1).padStart(8)} ms`)
  for (const [index, { name }] of shapes.entries()) {
    const millis = median(measured[index] ?? [])
    const verdict = millis <= target ? "reached" : "MISSED"
    if (index === 0 && millis > target) process.exitCode = 1
    console.log(
      `  ${name.padEnd(33)} ${millis.toFixed(1).padStart(8)} ms   ${(millis / baseline).toFixed(1)} x the baseline; target ${target} ms ${verdict}`
    )
  }
})

await Effect.runPromise(Effect.provide(program, layer))
rmSync(directory, { recursive: true, force: true })
