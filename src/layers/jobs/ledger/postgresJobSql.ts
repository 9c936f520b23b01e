/** Jobs in PostgreSQL. */
import type { TenantId } from "../../../domain/Tenant.ts"
import { JobQueueError } from "../../../services/JobQueue.ts"
import { fromPostgres } from "../../market/postgres/storeFailure.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { int8, type SqlParameter, text, uuid } from "../../postgres/values.ts"
import { type FollowingJob, queueWithin } from "./enqueue.ts"
import type { Cell, JobSql, JobTables, Run } from "./JobSql.ts"

const tablesOf = (tenant: TenantId): JobTables => ({
  jobs: "tapestry_app.jobs",
  runs: "tapestry_app.job_runs",
  tenant: { _tag: "Uuid", value: tenant },
  skipLocked: "for update of j skip locked"
})

const parameter = (cell: Cell): SqlParameter =>
  cell._tag === "Int" ? int8(cell.value) : cell._tag === "Uuid" ? uuid(cell.value) : text(cell.value)

/** Statements of a transaction that somebody else has begun. */
export const within =
  (query: Query): Run<PostgresFailure> =>
  (sql, cells = []) =>
    query(sql, cells.map(parameter))

export const postgresJobSql = (database: PostgresDatabase): JobSql<PostgresFailure> => ({
  exclusive: false,
  tables: tablesOf(database.tenant),
  read: (operation) => within(database.query(operation)),
  write: (operation, body) => database.transaction(operation, (query) => body(within(query))),
  asError: (error) => (error._tag === "JobQueueError" ? error : new JobQueueError({ reason: fromPostgres(error) }))
})

/** Queues jobs in a transaction that somebody else has begun. */
export const queueJobs = (database: PostgresDatabase, query: Query, jobs: ReadonlyArray<FollowingJob>, at: number) =>
  queueWithin(within(query), tablesOf(database.tenant), jobs, at)
