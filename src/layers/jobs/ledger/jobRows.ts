/** Between columns and records; the one place that trusts a column to have its type. */
import type { Schema } from "effect"
import { type Job, type JobOutcome, JobPriority, type JobRun, type JobSpec } from "../../../domain/Job.ts"
import type { JobView } from "../../../services/JobQueue.ts"
import type { Row } from "./JobSql.ts"

export const jobColumns = `j.id, j.key, j.type, j.payload, j.priority, j.not_before, j.cron, j.zone, j.state, j.attempts, j.max_attempts,
  j.cancelling, j.created_at, j.finished_at, j.error`
const jobWidth = 15

export const runColumns = `r.job, r.attempt, r.status, r.provider, r.mode, r.symbols, r.min_ts, r.max_ts, r.config_fingerprint,
  r.units_done, r.units, r.rows_written, r.requests, r.outcome, r.error_message, r.started_at, r.heartbeat_at, r.completed_at`

export const priorityCode = (priority: JobSpec["priority"] = "medium"): number => JobPriority.literals.indexOf(priority)

type JobRow = readonly [
  id: Job["id"],
  key: string,
  type: string,
  payload: string,
  priority: number,
  notBefore: number | null,
  cron: string | null,
  zone: string | null,
  state: Job["state"],
  attempts: number,
  maxAttempts: number,
  cancelling: number,
  createdAt: number,
  finishedAt: number | null,
  error: string | null
]

type RunRow = readonly [
  job: Job["id"],
  attempt: number,
  status: JobRun["status"],
  provider: string,
  mode: JobRun["mode"],
  symbols: string,
  minTs: number | null,
  maxTs: number | null,
  fingerprint: string,
  done: number,
  of: number,
  rows: number,
  requests: number,
  outcome: string | null,
  error: string | null,
  startedAt: number,
  heartbeatAt: number,
  completedAt: number | null
]

/** A row that begins with {@link jobColumns}. */
export const toJob = (row: Row): Job => {
  const r = row as unknown as JobRow
  return {
    id: r[0],
    key: r[1],
    type: r[2],
    payload: JSON.parse(r[3]) as Schema.Json,
    priority: JobPriority.literals[r[4]] ?? "medium",
    notBefore: r[5],
    schedule: r[6] === null ? null : { cron: r[6], ...(r[7] === null ? {} : { zone: r[7] }) },
    state: r[8],
    attempts: r[9],
    maxAttempts: r[10],
    cancelling: r[11] !== 0,
    createdAt: r[12],
    finishedAt: r[13],
    error: r[14]
  }
}

/** A row of {@link runColumns}. */
export const toRun = (row: Row): JobRun => {
  const r = row as unknown as RunRow
  return {
    job: r[0],
    attempt: r[1],
    status: r[2],
    provider: r[3],
    mode: r[4],
    symbols: JSON.parse(r[5]) as ReadonlyArray<string>,
    range: r[6] === null || r[7] === null ? null : { start: r[6], end: r[7] },
    fingerprint: r[8],
    progress: { done: r[9], of: r[10], rows: r[11], requests: r[12] },
    outcome: r[13] === null ? null : (JSON.parse(r[13]) as JobOutcome),
    error: r[14],
    startedAt: r[15],
    heartbeatAt: r[16],
    completedAt: r[17]
  }
}

/** A row of {@link jobColumns} and, where there is an attempt, {@link runColumns}. */
export const toView = (row: Row): JobView => {
  const run = row.slice(jobWidth)
  return { job: toJob(row), run: run[0] === null || run[0] === undefined ? null : toRun(run) }
}
