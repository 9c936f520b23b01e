/**
 * MarketStore, RecordStore and JobLedger in a PostgreSQL database. What is stored and why is in docs/store.md, what differs from SQLite in
 * docs/production.md; the tables are in migrations.ts.
 */
import { Context, Effect, Layer, Metric, type Redacted, type Scope } from "effect"
import { canonical } from "../../../domain/SeriesKey.ts"
import { defaultTenant, type TenantName } from "../../../domain/Tenant.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { WriteMode } from "../../../domain/WriteMode.ts"
import { ApiConfig } from "../../../services/ApiConfig.ts"
import { JobLedger } from "../../../services/JobLedger.ts"
import { type Commit, type GenerationId, MarketStore, type MarketStoreError } from "../../../services/MarketStore.ts"
import { rowsCommitted } from "../../../services/Metrics.ts"
import { RecordStore } from "../../../services/RecordStore.ts"
import { reached } from "../../FaultPoint.ts"
import { make as makeLedger } from "../../jobs/ledger/ledger.ts"
import { postgresJobSql } from "../../jobs/ledger/postgresJobSql.ts"
import { expectMigrated, migrate } from "../../postgres/migrate.ts"
import type { PostgresDatabase } from "../../postgres/PostgresDatabase.ts"
import { int8 } from "../../postgres/values.ts"
import { prepare } from "../CommitBatch.ts"
import { postgresApiConfig } from "../config/postgresApiConfig.ts"
import { countMigrations } from "../countMigrations.ts"
import * as KeyedLock from "../KeyedLock.ts"
import { nothingDone } from "../nothingDone.ts"
import { toSeriesMark } from "../seriesMark.ts"
import { readActions } from "./actionRows.ts"
import { checkInstants } from "./checkInstants.ts"
import { type Prepared, runCommits } from "./commit.ts"
import {
  type Building,
  beginGeneration,
  dropGeneration,
  forget,
  publishGeneration,
  replaceGenerations,
  seriesOf,
  succeedGeneration
} from "./generations.ts"
import { invalidate } from "./invalidate.ts"
import { migrations } from "./migrations.ts"
import { readMismatches, recordMismatches } from "./mismatches.ts"
import { openDatabase } from "./openDatabase.ts"
import { readBar, readBars, readStoredBars } from "./readBars.ts"
import { readCoverage } from "./readCoverage.ts"
import { readRevisions } from "./readRevisions.ts"
import { readOperation, readSurroundings, readVisibleGeneration } from "./readSurroundings.ts"
import { recordStore } from "./records/RecordStorePostgres.ts"
import { referencedResponses } from "./references.ts"
import { readMark } from "./seriesMark.ts"
import { mapStoreFailure } from "./storeFailure.ts"
import {
  appliedResponses,
  countRows,
  latestPrices,
  listSeries,
  newestResponse,
  responsesIn,
  witnesses
} from "./summaries.ts"
import { tenantId } from "./tenantId.ts"
import { derivedBars } from "./timescale/readDerived.ts"

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`, with the parameters of libpq that the driver knows (`sslmode`, ...). */
  readonly url: Redacted.Redacted
  /** Reads what is there; every write fails with StoreReadOnly. */
  readonly readonly?: boolean
  /** Accepted, and nothing follows from it: rows are written in one way at every size. */
  readonly writeMode?: WriteMode
}

export interface MarketStorePostgresOptions extends PostgresStoreOptions {
  /** Whose rows; the default tenant's unless given. One that the database does not know fails with StoreTenantDenied. */
  readonly tenant?: TenantName
}

type TenantServices = MarketStore | RecordStore | JobLedger | ApiConfig

/** What the tenants of one database have, over one pool of connections. */
export interface PostgresStores {
  readonly of: (tenant: TenantName) => Effect.Effect<Context.Context<TenantServices>, MarketStoreError>
  /** The tenants that have jobs under way, or due by then: of those the first so many, by the job that each would begin. */
  readonly atWork: (now: EpochMillis, most: number) => Effect.Effect<ReadonlyArray<string>, MarketStoreError>
}

const selectAtWork = "select tapestry_app.tenants_at_work($1, $2)"

/** For as long as the scope lives. Migrates, unless it only reads. */
export const open = (options: PostgresStoreOptions): Effect.Effect<PostgresStores, MarketStoreError, Scope.Scope> =>
  mapStoreFailure(
    Effect.gen(function* () {
      const readonly = options.readonly === true
      const database = yield* openDatabase(options.url, readonly)
      yield* readonly
        ? expectMigrated(database, migrations)
        : Effect.tap(migrate(database, migrations), countMigrations)
      return {
        of: (tenant) =>
          mapStoreFailure(Effect.map(tenantId(database, tenant), (id) => storesOf(database.forTenant(id)))),
        atWork: (now, most) =>
          mapStoreFailure(
            Effect.map(database.bare("tenants at work")(selectAtWork, [int8(now), int8(most)]), (rows) =>
              rows.map(([name]) => String(name))
            )
          )
      }
    })
  )

const storesOf = (database: PostgresDatabase): Context.Context<TenantServices> => {
  const locks = KeyedLock.make()
  const building: Building = new Map()
  const nameOf = (generation: GenerationId) => {
    const begun = building.get(generation)
    return begun === undefined ? seriesOf(database, generation) : Effect.succeed(begun.series)
  }
  const counting = () => new Set([...building].flatMap(([id, { counts }]) => (counts ? [id] : [])))

  const commitAll = Effect.fnUntraced(function* (commits: ReadonlyArray<Commit>) {
    if (commits.length === 0) return []
    const prepared: Array<Prepared> = []
    for (const commit of commits) {
      const batch = yield* prepare(commit)
      yield* checkInstants(commit, batch)
      prepared.push({ commit, batch })
    }
    const series = commits.map((commit) => canonical(commit.series))
    const results = yield* locks.withLocks(series)(runCommits(database, prepared)).pipe(mapStoreFailure)
    yield* Metric.update(
      rowsCommitted,
      results.reduce((sum, { inserted, updated }) => sum + inserted + updated, 0)
    )
    yield* reached("afterCommit")
    return results
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
    coverage: Effect.fn("MarketStore.coverage")((series, range, read) => readCoverage(database, series, range, read)),
    actions: Effect.fn("MarketStore.actions")((series, range, read) => readActions(database, series, range, read)),
    revisions: (series, range) => readRevisions(database, series, range),
    count: Effect.fn("MarketStore.count")((series, range, read) =>
      countRows(database, "bars", series, range, read?.generation)
    ),
    surroundings: Effect.fn("MarketStore.surroundings")((series, range, read) =>
      readSurroundings(database, series, range, read)
    ),
    derived: Effect.fn("MarketStore.derived")((series, timeframe, options) =>
      derivedBars(database, series, timeframe, options)
    ),
    visibleGeneration: Effect.fn("MarketStore.visibleGeneration")((series) => readVisibleGeneration(database, series)),
    mark: Effect.fn("MarketStore.mark")((series, read) => Effect.map(readMark(database, series, read), toSeriesMark)),
    applied: Effect.fn("MarketStore.applied")((series, decoderVersion, read) =>
      read?.generation === undefined
        ? appliedResponses(database, series, decoderVersion, counting())
        : responsesIn(database, read.generation, decoderVersion)
    ),
    lastOperation: Effect.fn("MarketStore.lastOperation")((series) => readOperation(database, series)),
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
      const series = yield* nameOf(generation)
      yield* locks.withLock(series)(publishGeneration(database, generation, at, building, operation))
    }),
    succeedGeneration: Effect.fn("MarketStore.succeedGeneration")(function* (before, next, at) {
      const series = yield* nameOf(next)
      yield* locks.withLock(series)(succeedGeneration(database, before, next, at))
    }),
    replaceGenerations: Effect.fn("MarketStore.replaceGenerations")(function* (generations, operation) {
      const series = yield* nameOf(generations[0])
      yield* locks.withLock(series)(replaceGenerations(database, generations, operation, building))
    }),
    dropGeneration: Effect.fn("MarketStore.dropGeneration")(function* (generation) {
      const series = yield* nameOf(generation)
      yield* locks.withLock(series)(dropGeneration(database, generation, building))
    }),
    latest: Effect.fn("MarketStore.latest")((filter) => latestPrices(database, filter)),
    series: listSeries(database).pipe(Effect.withSpan("MarketStore.series")),
    recordMismatches: Effect.fn("MarketStore.recordMismatches")((left, right, compared, found, at) =>
      recordMismatches(database, left, right, compared, found, at)
    ),
    mismatches: (left, right, range, read) => readMismatches(database, left, right, range, read?.open === true),
    forget: Effect.fn("MarketStore.forget")((series) => locks.withLock(canonical(series))(forget(database, series)))
  })
  return Context.make(MarketStore, bars).pipe(
    Context.add(RecordStore, recordStore(database, locks)),
    Context.add(JobLedger, makeLedger(postgresJobSql(database))),
    Context.add(ApiConfig, postgresApiConfig(database))
  )
}

export const layer = ({
  tenant = defaultTenant.name,
  ...options
}: MarketStorePostgresOptions): Layer.Layer<TenantServices, MarketStoreError> =>
  Layer.effectContext(Effect.flatMap(open(options), (stores) => stores.of(tenant)))
