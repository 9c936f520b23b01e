import type { PostgresMigration } from "../../../postgres/migrate.ts"

const terminal = "('completed', 'failed', 'deadletter', 'cancelled')"

/** As in SQLite (../../migrations/0007-jobs.ts). */
export const jobs: PostgresMigration = {
  id: 3,
  name: "jobs",
  statements: [
    `create table tapestry.jobs (
      seq int8 generated always as identity primary key,
      priority int8 not null,
      not_before int8,
      attempts int8 not null,
      max_attempts int8 not null,
      cancelling int8 not null,
      created_at int8 not null,
      finished_at int8,
      tenant uuid not null,
      id text collate "C" not null unique,
      key text collate "C" not null,
      type text collate "C" not null,
      state text not null check (state in ('queued', 'running', 'completed', 'failed', 'deadletter', 'cancelled')),
      payload text not null,
      cron text,
      zone text,
      runner text,
      error text
    )`,
    "create unique index jobs_live on tapestry.jobs (tenant, key) where state in ('queued', 'running')",
    "create index jobs_by_key on tapestry.jobs (tenant, key, seq)",
    "create index jobs_queued on tapestry.jobs (tenant, priority desc, seq) where state = 'queued'",
    `create table tapestry.job_runs (
      attempt int8 not null,
      min_ts int8,
      max_ts int8,
      units_done int8 not null,
      units int8 not null,
      rows_written int8 not null,
      rows_failed int8 not null,
      requests int8 not null,
      started_at int8 not null,
      heartbeat_at int8 not null,
      completed_at int8,
      elapsed_ms int8 generated always as (completed_at - started_at) stored,
      tenant uuid not null,
      job text collate "C" not null,
      job_name text not null,
      provider text not null,
      mode text not null check (mode in ('live', 'backfill')),
      status text not null check (status in ('running', 'suspended', 'success', 'failure', 'cancelled')),
      config_fingerprint text not null,
      symbols text not null,
      outcome text,
      error_message text,
      primary key (job, attempt)
    )`,
    `create function tapestry.job_has_ended() returns trigger language plpgsql as $$
      begin raise exception '% that has ended stays as it is', tg_argv[0] using errcode = 'restrict_violation'; end $$`,
    `create trigger jobs_ended before update on tapestry.jobs for each row when (old.state in ${terminal})
      execute function tapestry.job_has_ended('a job')`,
    `create trigger job_runs_ended before update on tapestry.job_runs for each row
      when (old.status in ('success', 'failure', 'cancelled'))
      execute function tapestry.job_has_ended('an attempt')`
  ]
}
