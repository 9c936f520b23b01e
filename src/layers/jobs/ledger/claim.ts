/** Attempts while they are under way: how one begins, says that it is alive, and is put aside when its runner ends. */
import { Effect } from "effect"
import type { Job, JobConfiguration, JobId, JobProgress } from "../../../domain/Job.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import type { Claimed, ClaimOptions, UpNext } from "../../../services/JobLedger.ts"
import { type Cell, int, type JobTables, type Run, text } from "./JobSql.ts"
import { jobColumns, toJob } from "./jobRows.ts"

const placeholders = (values: ReadonlyArray<unknown>, after: number): string =>
  values.map((_, index) => `$${after + index + 1}`).join(", ")

/** Those that may be begun, as a condition whose parameters come after so many others. */
const waiting = ({ only, types }: ClaimOptions, after: number): string =>
  `j.state = 'queued' and j.type in (${placeholders(types, after)})${only === null ? "" : ` and j.id in (${placeholders(only, after + types.length)})`}`

const namesOf = ({ only, types }: ClaimOptions): ReadonlyArray<Cell> => [...types, ...(only ?? [])].map(text)

const isNone = ({ only, types }: ClaimOptions): boolean => types.length === 0 || only?.length === 0

/** What would be claimed now, or where nothing is due what comes first. */
export const upNext = <F>(
  run: Run<F>,
  tables: JobTables,
  options: ClaimOptions,
  now: EpochMillis
): Effect.Effect<UpNext | null, F> =>
  isNone(options)
    ? Effect.succeed(null)
    : Effect.map(
        run(
          `select coalesce(j.not_before, 0), j.priority, j.seq from ${tables.jobs} j where j.tenant = $1 and ${waiting(options, 2)}
            order by case when coalesce(j.not_before, 0) <= $2 then 0 else j.not_before end, j.priority desc, j.seq limit 1`,
          [tables.tenant, int(now), ...namesOf(options)]
        ),
        ([row]) => (row === undefined ? null : { due: Number(row[0]), priority: Number(row[1]), seq: Number(row[2]) })
      )

const selectNext = ({ jobs, skipLocked }: JobTables, options: ClaimOptions) =>
  `select ${jobColumns} from ${jobs} j
  where j.tenant = $1 and coalesce(j.not_before, 0) <= $2 and ${waiting(options, 2)}
  order by j.priority desc, j.seq limit 1 ${skipLocked}`

const insertRun = ({ runs }: JobTables) => `insert into ${runs}
  (job, attempt, tenant, job_name, provider, mode, status, config_fingerprint, symbols, min_ts, max_ts, units_done, units,
    rows_written, rows_failed, requests, started_at, heartbeat_at)
  values ($1, $2, $3, $4, $5, $6, 'running', $7, $8, $9, $10, 0, 0, 0, 0, 0, $11, $11)`

/** Begins the next job that is due, or goes on with it in the attempt in which it was put aside. */
export const claim = <F>(
  run: Run<F>,
  tables: JobTables,
  options: ClaimOptions,
  read: (job: Job) => Effect.Effect<JobConfiguration>,
  fingerprintOf: (job: Job) => string,
  now: EpochMillis
): Effect.Effect<Claimed | null, F> =>
  Effect.gen(function* () {
    if (isNone(options)) return null
    const [job] = (yield* run(selectNext(tables, options), [tables.tenant, int(now), ...namesOf(options)])).map(toJob)
    if (job === undefined) return null
    const resumed = (yield* run(
      `update ${tables.runs} set status = 'running', heartbeat_at = $3 where job = $1 and attempt = $2 and status = 'suspended'
        returning attempt`,
      [text(job.id), int(job.attempts), int(now)]
    )).length
    const attempt = resumed > 0 ? job.attempts : job.attempts + 1
    yield* run(
      `update ${tables.jobs} set state = 'running', attempts = $2, runner = $3, not_before = null where id = $1`,
      [text(job.id), int(attempt), text(options.runner)]
    )
    if (resumed === 0) {
      const { mode, provider, range, symbols } = yield* read(job)
      yield* run(insertRun(tables), [
        text(job.id),
        int(attempt),
        tables.tenant,
        text(job.type),
        text(provider),
        text(mode),
        text(fingerprintOf(job)),
        text(JSON.stringify(symbols)),
        int(range?.start ?? null),
        int(range?.end ?? null),
        int(now)
      ])
    }
    return {
      job: { ...job, state: "running" as const, attempts: attempt, notBefore: null },
      attempt,
      resumed: resumed > 0
    }
  })

/** Answers whether the attempt should end; one that is no longer its job's should. */
export const beat = <F>(
  run: Run<F>,
  tables: JobTables,
  job: JobId,
  attempt: number,
  { done, of, requests, rows }: JobProgress,
  now: EpochMillis
): Effect.Effect<boolean, F> =>
  Effect.gen(function* () {
    yield* run(
      `update ${tables.runs} set heartbeat_at = $3, units_done = $4, units = $5, rows_written = $6, requests = $7
        where job = $1 and attempt = $2 and status = 'running' and tenant = $8`,
      [text(job), int(attempt), int(now), int(done), int(of), int(rows), int(requests), tables.tenant]
    )
    const [row] = yield* run(`select cancelling, state, attempts from ${tables.jobs} where id = $1 and tenant = $2`, [
      text(job),
      tables.tenant
    ])
    return row === undefined || row[0] !== 0 || row[1] !== "running" || row[2] !== attempt
  })

const setAside = (tables: JobTables) => ({
  run: `update ${tables.runs} set status = $3, completed_at = $4 where job = $1 and attempt = $2 and status = 'running'`,
  queue: `update ${tables.jobs} set state = 'queued', runner = null where id = $1`,
  cancel: `update ${tables.jobs} set state = 'cancelled', runner = null, finished_at = $2 where id = $1`
})

/** Puts aside what a runner (null: whoever) had under way; what should end ends here. */
export const suspend = <F>(
  run: Run<F>,
  tables: JobTables,
  runner: string | null,
  now: EpochMillis
): Effect.Effect<number, F> =>
  Effect.gen(function* () {
    const statements = setAside(tables)
    const found = yield* run(
      `select ${jobColumns} from ${tables.jobs} j where j.tenant = $1 and j.state = 'running'${runner === null ? "" : " and j.runner = $2"}`,
      runner === null ? [tables.tenant] : [tables.tenant, text(runner)]
    )
    for (const { attempts, cancelling, id } of found.map(toJob)) {
      yield* run(statements.run, [
        text(id),
        int(attempts),
        text(cancelling ? "cancelled" : "suspended"),
        int(cancelling ? now : null)
      ])
      yield* cancelling ? run(statements.cancel, [text(id), int(now)]) : run(statements.queue, [text(id)])
    }
    return found.length
  })
