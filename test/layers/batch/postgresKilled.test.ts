/**
 * PostgreSQL is killed and started again, 20 times, while 64 fibers submit rows one by one; and is away for a while under full load.
 * This process goes on, keeps what it has not been told of yet, and knows what was acknowledged.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { BatchProcessor } from "../../../src/services/BatchProcessor.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, minute, seriesOf } from "../../services/market/commits.ts"
import { bareDatabase, postgres } from "../../support/postgres.ts"
import { capacity, layersOver } from "./killedLayers.ts"

const series = { ...seriesOf("A"), vendor: "acme" }

const layers = Layer.unwrap(
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-batch-killed-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
    )
    return layersOver(directory, yield* bareDatabase)
  })
)

/** Submits new rows from 64 fibers until it is told to stop. */
const load = Effect.gen(function* () {
  const { submit } = yield* BatchProcessor
  const acknowledged = new Set<number>()
  let submitted = 0
  let stopped = false
  const fiber = yield* Effect.forkChild(
    Effect.forEach(
      Array.from({ length: 64 }),
      () =>
        Effect.gen(function* () {
          while (!stopped) {
            const index = submitted++
            yield* submit({ series, row: bar(index * minute, 1 + (index % 9)) })
            acknowledged.add(index)
          }
        }),
      { concurrency: "unbounded", discard: true }
    ),
    { startImmediately: true }
  )
  return {
    acknowledged,
    submitted: () => submitted,
    isRunning: () => fiber.pollUnsafe() === undefined,
    stop: Effect.suspend(() => {
      stopped = true
      return Fiber.join(fiber)
    })
  }
})

const until = (holds: () => boolean) =>
  Effect.gen(function* () {
    while (!holds()) yield* Effect.sleep("2 millis")
  })

const stored = Effect.gen(function* () {
  const { bars, revisions } = yield* MarketStore
  const whole = { start: 0, end: 100_000_000 * minute }
  const rows = yield* Stream.runCollect(bars(series, whole))
  return {
    indices: rows.map(({ ts }) => ts / minute),
    closes: rows.map(({ close }) => close),
    revisions: (yield* Stream.runCollect(revisions(series, whole))).length
  }
})

/** Seconds. By a test clock it is a minute, over a store that only says that it is away (BatchProcessorLive.test.ts); by hand, any time. */
const outage = Number(process.env.TAPESTRY_TEST_OUTAGE_SECONDS ?? 3)

/** Resident, in MB. */
const memory = () => process.memoryUsage.rss() / 1024 / 1024

describe("BatchProcessor over a PostgreSQL that is killed", () => {
  it.live(
    "70: 20 kills under load lose nothing that was acknowledged, and leave no row twice and none changed",
    () =>
      Effect.gen(function* () {
        const server = yield* postgres
        const loaded = yield* load
        for (let kill = 0; kill < 20; kill++) {
          const before = loaded.acknowledged.size
          yield* until(() => loaded.acknowledged.size > before + 500)
          // In the middle of another batch: how far that is differs from kill to kill.
          yield* Effect.sleep(`${kill % 7} millis`)
          server.kill()
          yield* Effect.promise(server.restart)
          assert.isTrue(loaded.isRunning())
        }
        yield* loaded.stop
        const { closes, indices, revisions } = yield* stored
        const there = new Set(indices)
        assert.strictEqual(there.size, indices.length)
        for (const index of loaded.acknowledged) assert.isTrue(there.has(index), `row ${index} was acknowledged`)
        assert.strictEqual(there.size, loaded.submitted(), "in the end all were acknowledged")
        assert.isTrue(closes.every((close, at) => close === 1 + ((indices[at] ?? 0) % 9)))
        assert.strictEqual(revisions, 0)
        const [stats] = yield* (yield* BatchProcessor).stats
        assert.deepInclude(stats, { deadLettered: 0, buffered: 0 })
        console.log(`20 kills, ${loaded.acknowledged.size} rows acknowledged, ${indices.length} there`)
      }).pipe(Effect.provide(layers)),
    120_000
  )

  it.live(
    "69: a database that is away under full load costs no row and no more memory than the buffer, and throughput returns by itself",
    () =>
      Effect.gen(function* () {
        const server = yield* postgres
        const { offer, stats } = yield* BatchProcessor
        let offered = 0
        let stopped = false
        const producers = yield* Effect.forkChild(
          Effect.forEach(
            Array.from({ length: 8 }),
            () =>
              Effect.gen(function* () {
                while (!stopped) {
                  const index = offered++
                  yield* offer({ series, row: bar(index * minute, 1 + (index % 9)) })
                  if (index % 256 === 0) yield* Effect.sleep("1 millis")
                }
              }),
            { concurrency: "unbounded", discard: true }
          ),
          { startImmediately: true }
        )
        const committed = Effect.map(stats, ([one]) => one?.committed ?? 0)
        while ((yield* committed) < 5_000) yield* Effect.sleep("5 millis")
        server.kill()
        yield* Effect.sleep("300 millis")
        const held = yield* committed
        const before = memory()
        yield* Effect.sleep(`${outage} seconds`)
        const grown = memory() - before
        assert.strictEqual(yield* committed, held)
        const [away] = yield* stats
        assert.strictEqual((away?.buffered ?? 0) + (away?.inFlight ?? 0), capacity)
        // Each producer waits with one row in its hand.
        assert.isAtMost(offered - held, capacity + 8)
        yield* Effect.promise(server.restart)
        const back = performance.now()
        while ((yield* committed) < held + 3 * capacity) yield* Effect.sleep("5 millis")
        const seconds = (performance.now() - back) / 1_000
        console.log(
          `away for ${outage} s: ${grown.toFixed(0)} MB more, and ${3 * capacity} rows ${seconds.toFixed(1)} s after the server was back`
        )
        stopped = true
        yield* Fiber.join(producers)
        yield* (yield* BatchProcessor).flush
        const { indices, revisions } = yield* stored
        assert.strictEqual(new Set(indices).size, offered)
        assert.strictEqual(indices.length, offered)
        assert.strictEqual(revisions, 0)
      }).pipe(Effect.provide(layers)),
    60_000 + outage * 1_000
  )
})
