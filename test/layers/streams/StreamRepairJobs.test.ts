import { rmSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import { type StreamRow, shapeOf } from "../../../src/domain/streams/StreamRow.ts"
import { NotEntitled } from "../../../src/services/Adapter.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { ended, over, temporary, working } from "../jobs/support.ts"
import { vendorOf } from "./support.ts"

const range = { start: Date.UTC(2024, 2, 1, 10), end: Date.UTC(2024, 2, 1, 10, 2) }
const streamOf = (kind: "trades" | "bars") => ({
  vendor: "model",
  symbol: "ALPHA",
  kind,
  timeframe: kind === "bars" ? ("5s" as const) : null,
  params: {}
})

const enqueued = Effect.fnUntraced(function* (key: string, stream: ReturnType<typeof streamOf>) {
  const queue = yield* JobQueue
  return (yield* queue.enqueue({ key, type: "stream-repair", payload: { stream, range } })).job
})

describe("stream-repair", () => {
  it.live("has the trades of a range stored, page by page, with the answers that they came from; twice is once", () => {
    const vendor = vendorOf({ rate: 4, pageRows: 50, numbered: false, resolution: 1_000 })
    return Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.gen(function* () {
        const records = yield* RecordStore
        const truth = vendor.stream?.truth(streamOf("trades"), range) ?? []
        for (const [attempt, rows] of [
          ["first", truth.length],
          ["second", 0]
        ] as const) {
          const job = yield* enqueued(attempt, streamOf("trades"))
          const { run } = yield* working(ended(job.id))
          assert.deepInclude(run, { status: "success" })
          assert.deepInclude(run?.outcome, { rows, rowsStored: truth.length, holeCount: 0 })
        }
        const series = vendor.adapter.stream?.series(streamOf("trades")) as RecordSeries<"trade">
        const stored = yield* Stream.runCollect(records.storedRows(series, range))
        const identities = (rows: ReadonlyArray<StreamRow>) => rows.map(shapeOf("trades").identity).sort()
        assert.deepStrictEqual(identities(stored.map(({ row }) => row)), identities(truth))
        assert.isAbove(new Set(stored.map(({ lineage }) => lineage.response)).size, 4)
        const market = yield* MarketStore
        const coverage = yield* market.coverage(series, range)
        assert.isTrue(coverage.every(({ state }) => state._tag === "Covered"))
        assert.strictEqual(coverage.at(-1)?.end, range.end)
      }).pipe(Effect.provide(over(directory, vendor)))
    }).pipe(Effect.scoped)
  })

  it.live("a store that was lost has its rows again, with coverage and where they came from, by a rebuild", () => {
    const vendor = vendorOf({ rate: 4, pageRows: 50, numbered: false, resolution: 1_000 })
    const series = vendor.adapter.stream?.series(streamOf("trades")) as RecordSeries<"trade">
    const storedIn = (directory: string, first: Effect.Effect<unknown, unknown, JobQueue | Imports>) =>
      Effect.gen(function* () {
        yield* first
        const records = yield* RecordStore
        const market = yield* MarketStore
        const rows = yield* Stream.runCollect(records.storedRows(series, range))
        const checked = yield* Effect.flatMap(Imports, (imports) => Stream.runCollect(imports.check({ limit: 3 })))
        assert.deepStrictEqual(
          checked.map((event) => (event._tag === "Compared" ? event.differences : event)),
          [[]]
        )
        return { rows, coverage: yield* market.coverage(series, range) }
      }).pipe(Effect.provide(over(directory, vendor)))
    return Effect.gen(function* () {
      const directory = yield* temporary
      const repaired = Effect.flatMap(enqueued("once", streamOf("trades")), ({ id }) => working(ended(id)))
      const before = yield* storedIn(directory, repaired)
      assert.isAbove(before.rows.length, 200)
      for (const end of ["", "-wal", "-shm"]) rmSync(`${directory}/market.sqlite${end}`, { force: true })
      const replayed = Effect.flatMap(Imports, (imports) => Stream.runCollect(imports.replay()))
      assert.deepStrictEqual(yield* storedIn(directory, replayed), before)
    }).pipe(Effect.scoped)
  })

  it.live("bars are had as any others are", () => {
    const vendor = vendorOf()
    return Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.gen(function* () {
        const market = yield* MarketStore
        const job = yield* enqueued("bars", streamOf("bars"))
        assert.deepInclude((yield* working(ended(job.id))).run, { status: "success" })
        assert.strictEqual(yield* market.count(vendor.series("ALPHA", "5s"), range), 24)
      }).pipe(Effect.provide(over(directory, vendor)))
    }).pipe(Effect.scoped)
  })

  it.live("a refusal that stays ends the job, with the vendor's word", () => {
    const vendor = vendorOf({ historyTrouble: () => new NotEntitled({ message: "not on this account" }) })
    return Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.gen(function* () {
        const job = yield* enqueued("refused", streamOf("trades"))
        const { job: after, run } = yield* working(ended(job.id))
        assert.strictEqual(after.state, "failed")
        assert.include(run?.error ?? "", "not on this account")
      }).pipe(Effect.provide(over(directory, vendor)))
    }).pipe(Effect.scoped)
  })
})
