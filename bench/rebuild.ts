/**
 * Claim: a store is made again from its archive at 200,000 rows a second on 2 cores: every answer read, hashed and decoded,
 * rows, coverage and lineage committed, and each series put in its place. Two shapes: answers of 8,192 one-minute bars, and of 390.
 *
 * Run: `npm run bench -- rebuild`. Baseline, in the same run: the same bytes, in memory, decoded by the same decoder and
 * inserted by bare better-sqlite3 into one table, without an archive, hashes, coverage, lineage or anybody who reads. Medians of
 * five; the time of the processor, with that of the thread that moves the log, is printed beside them.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import Database from "better-sqlite3"
import { Clock, Effect, Layer, Stream } from "effect"
import type { Bar } from "../src/domain/Bar.ts"
import { canonical, type SeriesKey } from "../src/domain/SeriesKey.ts"
import type { TimeRange } from "../src/domain/TimeRange.ts"
import * as CalendarLive from "../src/layers/calendar/CalendarLive.ts"
import * as IngestSessionLive from "../src/layers/ingest/IngestSessionLive.ts"
import * as MarketStoreSqlite from "../src/layers/market/MarketStoreSqlite.ts"
import * as ProvenanceStoreSqlite from "../src/layers/provenance/ProvenanceStoreSqlite.ts"
import * as QuotaSqlite from "../src/layers/quota/QuotaSqlite.ts"
import * as AdapterRegistryInMemory from "../src/layers/registry/AdapterRegistryInMemory.ts"
import * as StitchingCacheLive from "../src/layers/stitching/StitchingCacheLive.ts"
import * as ModelVendor from "../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../src/services/AdapterRegistry.ts"
import { ProvenanceStore } from "../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../src/services/StitchingCache.ts"

const runs = 5
const minute = 60_000
const rows = 400_000
const begin = Date.UTC(2015, 0, 1)
const target = 200_000

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const model = ModelVendor.make()
/** Bars as integers of 8 bytes: a form whose decoder costs little, so that what is measured is the rebuild. */
const width = 6
const encode = (range: TimeRange): Uint8Array => {
  const count = (range.end - range.start) / minute
  const values = new Float64Array(count * width)
  for (let index = 0; index < count; index++) {
    const open = 100 + (((range.start / minute + index) * 7_919) % 1_000) / 100
    values.set(
      [range.start + index * minute, open, open + 0.5, open - 0.5, open + 0.1, 1_000 + (index % 97)],
      index * width
    )
  }
  return new Uint8Array(values.buffer)
}
const decode = (payload: Uint8Array) => {
  const values = new Float64Array(payload.buffer.slice(payload.byteOffset, payload.byteOffset + payload.byteLength))
  const bars: Array<Bar> = []
  const positions: Array<number> = []
  for (let at = 0; at < values.length; at += width) {
    const [ts = 0, open = 0, high = 0, low = 0, close = 0, volume = 0] = values.subarray(at, at + width)
    bars.push({ ts, open, high, low, close, volume, vwap: null, count: null })
    positions.push(at / width)
  }
  return { bars, positions, rejected: [] }
}
const adapter = {
  ...model.adapter,
  fetch: { ...model.adapter.fetch, decode: (payload: Uint8Array) => Effect.succeed(decode(payload)) }
}

const startsOf = (perAnswer: number): ReadonlyArray<number> =>
  Array.from({ length: Math.ceil(rows / perAnswer) }, (_, index) => begin + index * perAnswer * minute)

const fill = (series: SeriesKey, perAnswer: number) =>
  Effect.gen(function* () {
    const archive = yield* ProvenanceStore
    const session = yield* archive.openSession({ source: "model", mode: "batch", asOf: null })
    const starts = startsOf(perAnswer)
    yield* Effect.forEach(
      starts,
      (start) =>
        Effect.gen(function* () {
          const range = { start, end: start + perAnswer * minute }
          const identity = {
            source: "model",
            kind: "bars",
            method: "GET" as const,
            params: range as { start: number; end: number },
            body: null,
            bucket: null,
            cacheTag: null
          }
          const request = yield* archive.openRequest({
            session,
            identity,
            subject: { series: canonical(series), range },
            cacheMode: { _tag: "bypass" }
          })
          yield* archive.append({
            request,
            attempt: 1,
            askedAt: yield* Clock.currentTimeMillis,
            status: "ok",
            body: encode(range),
            metadata: {
              contentType: null,
              encoding: null,
              transportStatus: null,
              url: null,
              elapsedMillis: null,
              headers: {},
              adapter: {}
            },
            cause: null,
            waited: 0
          })
        }),
      { concurrency: 32, discard: true }
    )
    return starts.length * perAnswer
  })

const servicesIn = (directory: string) =>
  StitchingCacheLive.layer.pipe(
    Layer.provideMerge(IngestSessionLive.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        CalendarLive.layer,
        ProvenanceStoreSqlite.layer({ directory }),
        MarketStoreSqlite.layer({ filename: join(directory, "market.sqlite") }),
        QuotaSqlite.layer({ filename: join(directory, "quota.sqlite") }),
        Layer.effectDiscard(
          Effect.flatMap(AdapterRegistry, (registry) => Effect.orDie(registry.register(Effect.succeed(adapter))))
        )
      )
    ),
    Layer.provideMerge(AdapterRegistryInMemory.layer),
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.fresh
  )

const bare = (directory: string, perAnswer: number): number => {
  const bodies = startsOf(perAnswer).map((start) => encode({ start, end: start + perAnswer * minute }))
  const filename = join(directory, "bare.sqlite")
  rmSync(filename, { force: true })
  const db = new Database(filename)
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = NORMAL")
  db.exec(
    "create table bars (series integer, ts integer, open real, high real, low real, close real, volume real, vwap real, count real, primary key (series, ts)) strict, without rowid"
  )
  const insert = db.prepare("insert into bars values (1, ?, ?, ?, ?, ?, ?, ?, ?)")
  const started = performance.now()
  for (const bytes of bodies) {
    db.exec("begin")
    for (const bar of decode(bytes).bars) {
      insert.run(bar.ts, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, bar.count)
    }
    db.exec("commit")
  }
  const elapsed = performance.now() - started
  db.close()
  return elapsed
}

for (const perAnswer of [8_192, 390]) {
  const directory = mkdtempSync(join(tmpdir(), "tapestry-bench-"))
  const series = model.series("ALPHA", "1m")
  const ours: Array<number> = []
  const theirs: Array<number> = []
  const cpu: Array<number> = []
  let total = 0
  await Effect.runPromise(
    Effect.gen(function* () {
      total = yield* fill(series, perAnswer)
      const cache = yield* StitchingCache
      for (let run = 0; run < runs; run++) {
        const used = process.cpuUsage()
        const started = performance.now()
        const events = yield* Stream.runCollect(cache.rebuild())
        const last = events.at(-1)
        if (last?._tag !== "Finished" || last.rows !== total) throw new Error(`not whole: ${JSON.stringify(last)}`)
        ours.push(performance.now() - started)
        const { system, user } = process.cpuUsage(used)
        cpu.push((user + system) / 1_000)
        theirs.push(bare(directory, perAnswer))
      }
    }).pipe(Effect.provide(servicesIn(directory)))
  )
  rmSync(directory, { recursive: true, force: true })
  const rate = (millis: number) => Math.round((total * 1_000) / millis)
  const [mine, baseline] = [rate(median(ours)), rate(median(theirs))]
  console.log(
    `rebuild, ${perAnswer.toLocaleString("en")} rows an answer: ${mine.toLocaleString("en")} rows/s (target ${target.toLocaleString("en")}; ${rate(median(cpu)).toLocaleString("en")} a second of processor time); bare decode and better-sqlite3 insert ${baseline.toLocaleString("en")} rows/s; ratio ${(mine / baseline).toFixed(2)}`
  )
}
