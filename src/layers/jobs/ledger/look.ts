/** Finding jobs, and forgetting them. */
import { Effect } from "effect"
import type { JobId, JobRun } from "../../../domain/Job.ts"
import type { EpochMillis } from "../../../domain/TimeRange.ts"
import { AmbiguousJob, type JobFilter, JobQueueError, type JobView, UnknownJob } from "../../../services/JobQueue.ts"
import { type Cell, int, type JobTables, type Run, text } from "./JobSql.ts"
import { jobColumns, runColumns, toRun, toView } from "./jobRows.ts"

const selectViews = ({ jobs, runs }: JobTables) =>
  `select ${jobColumns}, ${runColumns} from ${jobs} j left join ${runs} r on r.job = j.id and r.attempt = j.attempts
  where j.tenant = $1`

/** The job of an id, or of the first letters of one: at least four. */
export const find = <F>(run: Run<F>, tables: JobTables, wanted: string): Effect.Effect<JobView, F | JobQueueError> =>
  Effect.gen(function* () {
    const name = wanted.trim().toLowerCase()
    const unknown = new JobQueueError({ reason: new UnknownJob({ job: wanted }) })
    if (!/^[0-9a-f-]{4,36}$/.test(name)) return yield* unknown
    const found = (yield* run(`${selectViews(tables)} and j.id like $2 order by j.seq desc limit 20`, [
      tables.tenant,
      text(`${name}%`)
    ])).map(toView)
    const [only] = found
    if (only === undefined) return yield* unknown
    if (found.length > 1) {
      const matches = found.map(({ job }) => job.id)
      return yield* new JobQueueError({ reason: new AmbiguousJob({ job: wanted, matches }) })
    }
    return only
  })

const defaultLimit = 100

/** The newest first. */
export const list = <F>(
  run: Run<F>,
  tables: JobTables,
  filter: JobFilter
): Effect.Effect<ReadonlyArray<JobView>, F> => {
  const cells: Array<Cell> = [tables.tenant]
  const parameter = (cell: Cell) => `$${cells.push(cell)}`
  const conditions = [
    ...(filter.states === undefined
      ? []
      : [`j.state in (${filter.states.map((state) => parameter(text(state))).join(", ") || "''"})`]),
    ...(filter.type === undefined ? [] : [`j.type = ${parameter(text(filter.type))}`]),
    ...(filter.key === undefined ? [] : [`j.key = ${parameter(text(filter.key))}`])
  ]
  const where = conditions.map((condition) => ` and ${condition}`).join("")
  const limit = parameter(int(filter.limit ?? defaultLimit))
  return Effect.map(run(`${selectViews(tables)}${where} order by j.seq desc limit ${limit}`, cells), (rows) =>
    rows.map(toView)
  )
}

export const runsOf = <F>(run: Run<F>, tables: JobTables, job: JobId): Effect.Effect<ReadonlyArray<JobRun>, F> =>
  Effect.map(
    run(`select ${runColumns} from ${tables.runs} r where r.tenant = $1 and r.job = $2 order by r.attempt`, [
      tables.tenant,
      text(job)
    ]),
    (rows) => rows.map(toRun)
  )

/** Running, and silent since before the instant. */
export const silentSince = <F>(
  run: Run<F>,
  tables: JobTables,
  instant: EpochMillis
): Effect.Effect<ReadonlyArray<JobView>, F> =>
  Effect.map(
    run(`${selectViews(tables)} and j.state = 'running' and r.heartbeat_at < $2 order by r.heartbeat_at`, [
      tables.tenant,
      int(instant)
    ]),
    (rows) => rows.map(toView)
  )

const ended = "state not in ('queued', 'running') and finished_at < $2"

export const removeEnded = <F>(
  run: Run<F>,
  { jobs, runs, tenant }: JobTables,
  before: EpochMillis,
  except: ReadonlyArray<string>
): Effect.Effect<number, F> =>
  Effect.gen(function* () {
    const cells = [tenant, int(before), ...except.map(text)]
    const others = except.length === 0 ? "" : ` and type not in (${except.map((_, at) => `$${at + 3}`).join(", ")})`
    const gone = `tenant = $1 and ${ended}${others}`
    yield* run(`delete from ${runs} where tenant = $1 and job in (select id from ${jobs} where ${gone})`, cells)
    return (yield* run(`delete from ${jobs} where ${gone} returning id`, cells)).length
  })

export const aliveOf = <F>(
  run: Run<F>,
  { jobs, tenant }: JobTables,
  wanted: ReadonlyArray<JobId>
): Effect.Effect<ReadonlyArray<JobId>, F> =>
  Effect.map(run(`select id from ${jobs} where tenant = $1 and state in ('queued', 'running')`, [tenant]), (rows) => {
    const alive = new Set(rows.map(([id]) => id))
    return wanted.filter((id) => alive.has(id))
  })
