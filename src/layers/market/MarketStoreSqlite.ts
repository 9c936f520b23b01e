/** MarketStore, RecordStore and JobLedger in one SQLite file. What is stored and why is in docs/store.md; the tables are in migrations.ts. */
import { Context, Effect, Layer, Metric, type Scope } from "effect"
import { canonical } from "../../domain/SeriesKey.ts"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { ApiConfig } from "../../services/ApiConfig.ts"
import { JobLedger } from "../../services/JobLedger.ts"
import { type Commit, MarketStore, type MarketStoreError } from "../../services/MarketStore.ts"
import { rowsCommitted } from "../../services/Metrics.ts"
import { type RecordCommit, type RecordResult, RecordStore } from "../../services/RecordStore.ts"
import { reached } from "../FaultPoint.ts"
import { make as makeLedger } from "../jobs/ledger/ledger.ts"
import { sqliteJobSql } from "../jobs/ledger/sqliteJobSql.ts"
import * as Checkpointer from "../sqlite/Checkpointer.ts"
import { expectMigrated, migrate } from "../sqlite/migrate.ts"
import { open as openDatabase, type SqliteDatabase } from "../sqlite/SqliteDatabase.ts"
import { prepare } from "./CommitBatch.ts"
import { type Prepared, runCommits } from "./commit.ts"
import { sqliteApiConfig } from "./config/sqliteApiConfig.ts"
import { countMigrations } from "./countMigrations.ts"
import { type Building, beginGeneration, dropGeneration, forget, publishGeneration, seriesOf } from "./generations.ts"
import { invalidate } from "./invalidate.ts"
import * as KeyedLock from "./KeyedLock.ts"
import { migrations } from "./migrations.ts"
import { readMismatches, recordMismatches } from "./mismatches.ts"
import { nothingDone } from "./nothingDone.ts"
import { readActions } from "./readActions.ts"
import { readBar, readBars, readStoredBars } from "./readBars.ts"
import { readCoverage } from "./readCoverage.ts"
import { readRevisions } from "./readRevisions.ts"
import { readSurroundings, readVisibleGeneration } from "./readSurroundings.ts"
import { type PreparedRecords, runRecordCommits } from "./records/commitRecords.ts"
import { prepareRecords } from "./records/RecordBatch.ts"
import { readRecordRevisions, readRecords, readStoredRecords } from "./records/readRecords.ts"
import { countRecords, freshness, lastRecord, vendors } from "./records/recordSummaries.ts"
import { referencedResponses } from "./references.ts"
import { replaceGenerations, succeedGeneration } from "./replaceGenerations.ts"
import { readMark, toSeriesMark } from "./seriesMark.ts"
import { lastOperation } from "./seriesTable.ts"
import { mapStoreError } from "./storeError.ts"
import {
  appliedResponses,
  countRows,
  latestPrices,
  listSeries,
  newestResponse,
  responsesIn,
  witnesses
} from "./summaries.ts"
import { atWork, knows } from "./tenants/sqliteTenants.ts"
import { tenantDenied } from "./tenants/tenantDenied.ts"

export interface SqliteStoreOptions {
  /** Path of market.sqlite, or `:memory:`. */
  readonly filename: string
  /** Most pages of 4 KiB that the database may have. */
  readonly maxPageCount?: number
  /** Reads what is there; every write fails with StoreReadOnly. */
  readonly readonly?: boolean
}

export interface MarketStoreSqliteOptions extends SqliteStoreOptions {
  /** Whose rows; the default tenant's unless given. One that the file does not know fails with StoreTenantDenied. */
  readonly tenant?: TenantName
}

type TenantServices = MarketStore | RecordStore | JobLedger | ApiConfig

const withoutStack = { captureStackTrace: false }

/** What passing over a whole generation may write; enough to ask for a checkpoint. */
const manyRows = 100_000

/** What the tenants of one file have, over one pair of connections to it. */
export interface SqliteStores {
  readonly of: (tenant: TenantName) => Effect.Effect<Context.Context<TenantServices>, MarketStoreError>
  /** The tenants that have jobs under way, or due by then: of those the first so many, by the job that each would begin. */
  readonly atWork: (now: EpochMillis, most: number) => Effect.Effect<ReadonlyArray<string>, MarketStoreError>
}

/** For as long as the scope lives. Migrates, unless it only reads. */
export const open = (options: SqliteStoreOptions): Effect.Effect<SqliteStores, MarketStoreError, Scope.Scope> =>
  mapStoreError(
    Effect.gen(function* () {
      const database = yield* openDatabase({ ...options, synchronous: "NORMAL" })
      const readonly = options.readonly === true
      yield* readonly
        ? expectMigrated(database, migrations)
        : Effect.tap(migrate(database, migrations), ({ ran }) => countMigrations(ran))
      const checkpointer = readonly ? Checkpointer.none : yield* Checkpointer.make(database)
      return {
        of: (tenant) =>
          mapStoreError(
            Effect.gen(function* () {
              if (!(yield* knows(database, tenant))) return yield* tenantDenied(database.filename, tenant)
              return storesOf(database.forTenant(tenant), checkpointer)
            })
          ),
        atWork: (now, most) => mapStoreError(atWork(database, now, most))
      }
    })
  )

const storesOf = (
  database: SqliteDatabase,
  checkpointer: Checkpointer.Checkpointer
): Context.Context<TenantServices> => {
  const locks = KeyedLock.make()
  const building: Building = new Map()
  const counting = () => new Set([...building].flatMap(([id, { counts }]) => (counts ? [id] : [])))

  const committed = Effect.fnUntraced(function* (results: ReadonlyArray<RecordResult>) {
    const changed = results.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)
    yield* Metric.update(rowsCommitted, changed)
    yield* reached("afterCommit")
    yield* checkpointer.wrote(
      results.reduce((sum, { inserted, updated, withdrawn }) => sum + inserted + 2 * (updated + withdrawn), 0)
    )
  })

  const commitAll = Effect.fnUntraced(function* (commits: ReadonlyArray<Commit>) {
    if (commits.length === 0) return []
    const prepared: Array<Prepared> = []
    for (const commit of commits) prepared.push({ commit, batch: yield* prepare(commit) })
    yield* checkpointer.room
    const series = commits.map((commit) => canonical(commit.series))
    const results = yield* locks.withLocks(series)(runCommits(database, prepared)).pipe(mapStoreError)
    yield* committed(results)
    return results
  })

  const commitRecords = Effect.fnUntraced(function* (commits: ReadonlyArray<RecordCommit>) {
    if (commits.length === 0) return []
    const prepared: Array<PreparedRecords> = []
    for (const commit of commits) prepared.push({ commit, batch: yield* prepareRecords(commit) })
    yield* checkpointer.room
    const series = commits.map((commit) => canonical(commit.series))
    const results = yield* locks.withLocks(series)(runRecordCommits(database, prepared)).pipe(mapStoreError)
    yield* committed(results)
    return results
  })

  const records = RecordStore.of({
    commit: Effect.fn("RecordStore.commit")(function* (commit) {
      const [result] = yield* commitRecords([commit])
      return result ?? nothingDone
    }),
    commitAll: Effect.fn("RecordStore.commitAll")(commitRecords),
    rows: (series, range, read) => readRecords(database, series, range, read),
    storedRows: (series, range, read) => readStoredRecords(database, series, range, read),
    revisions: (series, range) => readRecordRevisions(database, series, range),
    count: Effect.fn("RecordStore.count")((series, range) => countRecords(database, series, range)),
    last: Effect.fn("RecordStore.last")((series) => lastRecord(database, series)),
    vendors: vendors(database),
    freshness: freshness(database).pipe(Effect.withSpan("RecordStore.freshness"))
  })

  const bars = MarketStore.of({
    commit: Effect.fn("MarketStore.commit")(function* (commit) {
      const [result] = yield* commitAll([commit])
      return result ?? nothingDone
    }),
    commitAll: Effect.fn("MarketStore.commitAll")(commitAll),
    bars: (series, range, read) => readBars(database, series, range, read),
    storedBars: (series, range, read) => readStoredBars(database, series, range, read),
    barAt: Effect.fn("MarketStore.barAt")((series, ts, read) => readBar(database, series, ts, read?.asOf)),
    // Several times for every range: the stack trace of an Effect.fn would cost as much as the reading.
    coverage: (series, range, read) =>
      Effect.withSpan(readCoverage(database, series, range, read), "MarketStore.coverage", withoutStack),
    actions: Effect.fn("MarketStore.actions")((series, range, read) => readActions(database, series, range, read)),
    revisions: (series, range) => readRevisions(database, series, range),
    count: (series, range, read) =>
      Effect.withSpan(countRows(database, series, range, read?.generation), "MarketStore.count", withoutStack),
    // Some microseconds each, and several for every range: a span and its stack trace would cost more than that.
    surroundings: (series, range, read) => readSurroundings(database, series, range, read),
    derived: () => Effect.succeed(null),
    visibleGeneration: (series) => readVisibleGeneration(database, series),
    mark: (series, read) => Effect.map(readMark(database, series, read), toSeriesMark),
    applied: Effect.fn("MarketStore.applied")((series, decoderVersion, read) =>
      read?.generation === undefined
        ? appliedResponses(database, series, decoderVersion, counting())
        : responsesIn(database, read.generation, decoderVersion)
    ),
    lastOperation: Effect.fn("MarketStore.lastOperation")((series) =>
      mapStoreError(database.read("last operation", (db) => lastOperation(db, series)))
    ),
    newestResponse: newestResponse(database),
    witnesses: witnesses(database),
    referencedResponses: referencedResponses(database),
    invalidate: Effect.fn("MarketStore.invalidate")((series, range, at, target = {}) =>
      locks.withLock(canonical(series))(invalidate(database, series, range, at, target))
    ),
    beginGeneration: Effect.fn("MarketStore.beginGeneration")((series, { apart = false } = {}) =>
      locks.withLock(canonical(series))(beginGeneration(database, series, building, apart))
    ),
    publishGeneration: Effect.fn("MarketStore.publishGeneration")(function* (generation, at, { operation } = {}) {
      const series = yield* seriesOf(database, generation)
      yield* locks.withLock(series)(publishGeneration(database, generation, at, building, operation))
      yield* checkpointer.wrote(manyRows)
    }),
    succeedGeneration: Effect.fn("MarketStore.succeedGeneration")(function* (before, next, at) {
      const series = yield* seriesOf(database, next)
      yield* locks.withLock(series)(succeedGeneration(database, before, next, at))
      yield* checkpointer.wrote(manyRows)
    }),
    replaceGenerations: Effect.fn("MarketStore.replaceGenerations")(function* (generations, operation) {
      const series = yield* seriesOf(database, generations[0])
      yield* locks.withLock(series)(replaceGenerations(database, generations, operation, building))
      yield* checkpointer.wrote(manyRows)
    }),
    dropGeneration: Effect.fn("MarketStore.dropGeneration")(function* (generation) {
      const series = yield* seriesOf(database, generation)
      yield* locks.withLock(series)(dropGeneration(database, generation, building))
      yield* checkpointer.wrote(manyRows)
    }),
    latest: Effect.fn("MarketStore.latest")((filter) => latestPrices(database, filter)),
    series: listSeries(database).pipe(Effect.withSpan("MarketStore.series")),
    recordMismatches: Effect.fn("MarketStore.recordMismatches")((left, right, compared, found, at) =>
      recordMismatches(database, left, right, compared, found, at)
    ),
    mismatches: (left, right, range, read) => readMismatches(database, left, right, range, read?.open === true),
    forget: Effect.fn("MarketStore.forget")(function* (series) {
      const rows = yield* locks.withLock(canonical(series))(forget(database, series))
      yield* checkpointer.wrote(2 * rows)
      return rows
    })
  })

  return Context.make(MarketStore, bars).pipe(
    Context.add(RecordStore, records),
    Context.add(JobLedger, makeLedger(sqliteJobSql(database))),
    Context.add(ApiConfig, sqliteApiConfig(database))
  )
}

export const layer = ({
  tenant = defaultTenant.name,
  ...options
}: MarketStoreSqliteOptions): Layer.Layer<TenantServices, MarketStoreError> =>
  Layer.effectContext(Effect.flatMap(open(options), (stores) => stores.of(tenant)))
