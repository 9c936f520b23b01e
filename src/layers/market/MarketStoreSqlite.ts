/** The MarketStore in one SQLite file. What is stored and why is in docs/store.md; the tables are in migrations.ts. */
import { Effect, Layer, Metric } from "effect"
import { canonical } from "../../domain/SeriesKey.ts"
import { MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { rowsCommitted } from "../../services/Metrics.ts"
import { reached } from "../FaultPoint.ts"
import { expectMigrated, migrate } from "../sqlite/migrate.ts"
import { open } from "../sqlite/SqliteDatabase.ts"
import * as Checkpointer from "./Checkpointer.ts"
import { prepare } from "./CommitBatch.ts"
import { runCommit } from "./commit.ts"
import { type Building, beginGeneration, dropGeneration, forget, publishGeneration, seriesOf } from "./generations.ts"
import { invalidate } from "./invalidate.ts"
import * as KeyedLock from "./KeyedLock.ts"
import { migrations } from "./migrations.ts"
import { readBar, readBars } from "./readBars.ts"
import { readCoverage } from "./readCoverage.ts"
import { readRevisions } from "./readRevisions.ts"
import { referencedResponses } from "./references.ts"
import { mapStoreError } from "./storeError.ts"
import { appliedResponses, countRows, latestPrices, listSeries, newestResponse } from "./summaries.ts"

export interface MarketStoreSqliteOptions {
  /** Path of market.sqlite, or `:memory:`. */
  readonly filename: string
  /** Most pages of 4 KiB that the database may have. */
  readonly maxPageCount?: number
  /** Reads what is there; every write fails with StoreReadOnly. */
  readonly readonly?: boolean
}

/** What passing over a whole generation may write; enough to ask for a checkpoint. */
const manyRows = 100_000

const make = Effect.fnUntraced(function* (options: MarketStoreSqliteOptions) {
  const database = yield* open({ ...options, synchronous: "NORMAL" })
  const readonly = options.readonly === true
  yield* readonly ? expectMigrated(database, migrations) : migrate(database, migrations)
  const checkpointer = readonly ? Checkpointer.none : yield* Checkpointer.make(database)
  const locks = KeyedLock.make()
  const building: Building = new Set()

  return MarketStore.of({
    commit: Effect.fn("MarketStore.commit")(function* (commit) {
      const batch = yield* prepare(commit)
      yield* checkpointer.room
      const result = yield* locks
        .withLock(canonical(commit.series))(runCommit(database, commit, batch))
        .pipe(mapStoreError)
      yield* Metric.update(rowsCommitted, result.inserted + result.updated)
      yield* reached("afterCommit")
      yield* checkpointer.wrote(result.inserted + 2 * (result.updated + result.withdrawn))
      return result
    }),
    bars: (series, range, read) => readBars(database, series, range, read),
    barAt: Effect.fn("MarketStore.barAt")((series, ts, read) => readBar(database, series, ts, read?.asOf)),
    coverage: Effect.fn("MarketStore.coverage")((series, range, read) => readCoverage(database, series, range, read)),
    revisions: (series, range) => readRevisions(database, series, range),
    count: Effect.fn("MarketStore.count")((series, range) => countRows(database, series, range)),
    applied: Effect.fn("MarketStore.applied")((series, decoderVersion) =>
      appliedResponses(database, series, decoderVersion, building)
    ),
    newestResponse: newestResponse(database),
    referencedResponses: referencedResponses(database),
    invalidate: Effect.fn("MarketStore.invalidate")((series, range, at) =>
      locks.withLock(canonical(series))(invalidate(database, series, range, at))
    ),
    beginGeneration: Effect.fn("MarketStore.beginGeneration")((series) =>
      locks.withLock(canonical(series))(beginGeneration(database, series, building))
    ),
    publishGeneration: Effect.fn("MarketStore.publishGeneration")(function* (generation, at) {
      const series = yield* seriesOf(database, generation)
      yield* locks.withLock(series)(publishGeneration(database, generation, at, building))
      yield* checkpointer.wrote(manyRows)
    }),
    dropGeneration: Effect.fn("MarketStore.dropGeneration")(function* (generation) {
      const series = yield* seriesOf(database, generation)
      yield* locks.withLock(series)(dropGeneration(database, generation, building))
      yield* checkpointer.wrote(manyRows)
    }),
    latest: Effect.fn("MarketStore.latest")((filter) => latestPrices(database, filter)),
    series: listSeries(database).pipe(Effect.withSpan("MarketStore.series")),
    forget: Effect.fn("MarketStore.forget")(function* (series) {
      const rows = yield* locks.withLock(canonical(series))(forget(database, series))
      yield* checkpointer.wrote(2 * rows)
      return rows
    })
  })
})

export const layer = (options: MarketStoreSqliteOptions): Layer.Layer<MarketStore, MarketStoreError> =>
  Layer.effect(MarketStore, mapStoreError(make(options)))
