/** Jobs in market.sqlite. */
import { Effect } from "effect"
import type { TenantName } from "../../../domain/Tenant.ts"
import { JobQueueError } from "../../../services/JobQueue.ts"
import type { MarketStoreError } from "../../../services/MarketStore.ts"
import { fromDatabase } from "../../market/storeError.ts"
import type { SqliteDatabase, SqliteFailure, Step, SyncDatabase } from "../../sqlite/SqliteDatabase.ts"
import { type FollowingJob, queueWithin } from "./enqueue.ts"
import { type Cell, type JobSql, type JobTables, type Run, text } from "./JobSql.ts"

export const tablesOf = (tenant: TenantName): JobTables => ({
  jobs: "jobs",
  runs: "job_runs",
  tenant: text(tenant),
  skipLocked: ""
})

const gives = /^\s*select\b|\breturning\b/i

/** SQLite would take `$1` for a name: each becomes a `?`, in the order in which they stand. */
const execute = (db: SyncDatabase, sql: string, cells: ReadonlyArray<Cell>) => {
  const params: Array<string | number | null> = []
  const plain = sql.replace(/\$(\d+)/g, (_, index) => {
    params.push(cells[Number(index) - 1]?.value ?? null)
    return "?"
  })
  const statement = db.prepare(plain)
  if (gives.test(plain)) return statement.all(...params)
  statement.run(...params)
  return []
}

/** Statements of a transaction that somebody else has begun. */
export const within =
  (step: Step): Run<SqliteFailure> =>
  (sql, cells = []) =>
    step((db) => execute(db, sql, cells))

const asError = (error: SqliteFailure | MarketStoreError | JobQueueError): JobQueueError =>
  error._tag === "JobQueueError" ? error : new JobQueueError({ reason: fromDatabase(error) })

export const sqliteJobSql = (database: SqliteDatabase): JobSql<SqliteFailure> => ({
  exclusive: true,
  tables: tablesOf(database.tenant),
  read:
    (operation) =>
    (sql, cells = []) =>
      database.read(operation, (db) => execute(db, sql, cells)),
  write: (operation, body) => database.transaction(operation, (step) => Effect.suspend(() => body(within(step)))),
  asError
})

/** Queues jobs in a transaction that somebody else has begun. */
export const queueJobs = (step: Step, jobs: ReadonlyArray<FollowingJob>, at: number) =>
  Effect.flatMap(
    step((db) => db.tenant),
    (tenant) => queueWithin(within(step), tablesOf(tenant), jobs, at)
  )
