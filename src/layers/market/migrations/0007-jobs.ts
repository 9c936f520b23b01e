import type { SqliteMigration } from "../../sqlite/migrate.ts"

const terminal = "('completed', 'failed', 'deadletter', 'cancelled')"

/**
 * - `jobs`: `seq` is their order; `runner` is who has it under way. `jobs_live`: one of a key is queued or running.
 * - `job_runs`: their attempts. `outcome` is what came of one, as JSON.
 * - The triggers keep what has ended as it is; it can only be removed.
 */
export const jobs: SqliteMigration = {
  id: 7,
  name: "jobs",
  statements: [
    `create table jobs (
      seq integer primary key autoincrement,
      id text not null unique,
      tenant text not null default 'default',
      key text not null,
      type text not null,
      payload text not null,
      priority integer not null,
      not_before integer,
      cron text,
      zone text,
      state text not null check (state in ('queued', 'running', 'completed', 'failed', 'deadletter', 'cancelled')),
      attempts integer not null,
      max_attempts integer not null,
      cancelling integer not null,
      runner text,
      created_at integer not null,
      finished_at integer,
      error text
    ) strict`,
    "create unique index jobs_live on jobs (tenant, key) where state in ('queued', 'running')",
    "create index jobs_by_key on jobs (tenant, key, seq)",
    "create index jobs_queued on jobs (tenant, priority desc, seq) where state = 'queued'",
    `create table job_runs (
      job text not null,
      attempt integer not null,
      tenant text not null default 'default',
      job_name text not null,
      provider text not null,
      mode text not null check (mode in ('live', 'backfill')),
      status text not null check (status in ('running', 'suspended', 'success', 'failure', 'cancelled')),
      config_fingerprint text not null,
      symbols text not null,
      min_ts integer,
      max_ts integer,
      units_done integer not null,
      units integer not null,
      rows_written integer not null,
      rows_failed integer not null,
      requests integer not null,
      outcome text,
      error_message text,
      started_at integer not null,
      heartbeat_at integer not null,
      completed_at integer,
      elapsed_ms integer generated always as (completed_at - started_at) virtual,
      primary key (job, attempt)
    ) strict, without rowid`,
    `create trigger jobs_ended before update on jobs when old.state in ${terminal}
      begin select raise(abort, 'a job that has ended stays as it is'); end`,
    `create trigger job_runs_ended before update on job_runs when old.status in ('success', 'failure', 'cancelled')
      begin select raise(abort, 'an attempt that has ended stays as it is'); end`
  ]
}
