/** Jobs and their attempts as rows of tables, as fields and as documents. */
import { elapsedOf, isTerminal, type Job, type JobHole, type JobRun } from "../../domain/Job.ts"
import type { JobView } from "../../services/JobQueue.ts"
import { coverageDocument, instant, instantOrNull, rangeDocument } from "./Documents.ts"
import { counted, duration, grouped } from "./Numbers.ts"
import { because, span } from "./RangeLines.ts"
import type { Column } from "./Table.ts"
import { moment } from "./ZonedTime.ts"

/** Enough of an id to tell a job from others, and to be asked for it. */
export const shortId = (id: string): string => id.slice(0, 8)

export const jobColumns: ReadonlyArray<Column> = [
  { header: "job", align: "left" },
  { header: "state", align: "left" },
  { header: "priority", align: "left" },
  { header: "type", align: "left" },
  { header: "done", align: "right" },
  { header: "rows", align: "right" },
  { header: "attempt", align: "right" },
  { header: "queued (UTC)", align: "left" },
  { header: "key", align: "left" },
  { header: "what of it", align: "left" }
]

const progressOf = (run: JobRun | null): string =>
  run === null || run.progress.of === 0 ? "-" : `${grouped(run.progress.done)}/${grouped(run.progress.of)}`

const scheduleOf = ({ schedule }: Job): string =>
  schedule === null ? "" : `${schedule.cron}${schedule.zone === undefined ? "" : ` ${schedule.zone}`}`

/** In a few words, what somebody who looks at the job wants to know next. */
const noteOf = ({ job, run, unknownType }: JobView): string => {
  if (job.cancelling) return "is about to end"
  if (unknownType) return `waits: nobody here does jobs of the type ${job.type}`
  if (job.state === "queued") {
    if (run?.status === "suspended") return "put aside; goes on when jobs are run"
    const when = job.notBefore === null ? "" : `not before ${moment(job.notBefore)}`
    return [when, job.error ?? "", scheduleOf(job)].filter((part) => part !== "").join("; ")
  }
  if (job.state === "running" && run !== null) return `heard of ${moment(run.heartbeatAt)}`
  const holes = run?.outcome?.holeCount ?? 0
  return job.error ?? (holes > 0 ? `${counted(holes, "part")} not had` : "")
}

export const jobRow = (view: JobView): ReadonlyArray<string> => {
  const { job, run } = view
  return [
    shortId(job.id),
    job.state,
    job.priority,
    job.type,
    progressOf(run),
    run === null ? "-" : grouped(run.outcome?.rows ?? run.progress.rows),
    `${job.attempts}/${job.maxAttempts}`,
    moment(job.createdAt).slice(0, 16).replace("T", " "),
    job.key,
    noteOf(view)
  ]
}

const holeDocument = ({ interval, symbol }: JobHole) => ({ symbol, ...coverageDocument(interval) })

export const runDocument = (run: JobRun) => ({
  ...run,
  range: run.range === null ? null : rangeDocument(run.range),
  outcome: run.outcome === null ? null : { ...run.outcome, holes: run.outcome.holes.map(holeDocument) },
  startedAt: instant(run.startedAt),
  heartbeatAt: instant(run.heartbeatAt),
  completedAt: instantOrNull(run.completedAt),
  elapsedMillis: elapsedOf(run)
})

export const jobDocument = (job: Job) => ({
  ...job,
  notBefore: instantOrNull(job.notBefore),
  createdAt: instant(job.createdAt),
  finishedAt: instantOrNull(job.finishedAt)
})

export const viewDocument = ({ job, run, unknownType }: JobView) => ({
  job: jobDocument(job),
  run: run === null ? null : runDocument(run),
  ...(unknownType === true ? { unknownType } : {})
})

export const jobFields = ({ job, run, unknownType }: JobView): ReadonlyArray<readonly [string, string]> => [
  ["job", job.id],
  ["type", job.type],
  ["key", job.key],
  ...(unknownType === true
    ? [["waits for", `a program that does jobs of the type ${job.type}; this one does not`] as const]
    : []),
  ["state", `${job.state}${job.cancelling ? ", about to end" : ""}`],
  ["priority", job.priority],
  ["payload", JSON.stringify(job.payload)],
  ...(job.schedule === null ? [] : [["schedule", scheduleOf(job)] as const]),
  ["queued", moment(job.createdAt)],
  ...(job.notBefore === null ? [] : [["not before", moment(job.notBefore)] as const]),
  ...(job.finishedAt === null ? [] : [["ended", moment(job.finishedAt)] as const]),
  ["attempts", `${job.attempts} of ${job.maxAttempts}`],
  ...(run === null
    ? []
    : [
        ["fingerprint", run.fingerprint] as const,
        ["symbols", run.symbols.join(" ")] as const,
        ...(run.range === null ? [] : [["range", span(run.range)] as const])
      ]),
  ...(job.error === null ? [] : [["error", job.error] as const])
]

export const runColumns: ReadonlyArray<Column> = [
  { header: "attempt", align: "right" },
  { header: "status", align: "left" },
  { header: "started (UTC)", align: "left" },
  { header: "took", align: "right" },
  { header: "done", align: "right" },
  { header: "rows", align: "right" },
  { header: "requests", align: "right" },
  { header: "not had", align: "right" },
  { header: "error", align: "left" }
]

export const runRow = (run: JobRun): ReadonlyArray<string> => [
  String(run.attempt),
  run.status,
  moment(run.startedAt).slice(0, 19).replace("T", " "),
  duration(elapsedOf(run)),
  progressOf(run),
  grouped(run.outcome?.rows ?? run.progress.rows),
  grouped(run.outcome?.requests ?? run.progress.requests),
  run.outcome === null ? "-" : grouped(run.outcome.holeCount),
  run.error ?? ""
]

const named = 10

/** A line for each part that could not be had; after ten of them, how many more there are. */
export const jobHoleLines = ({ run }: JobView): ReadonlyArray<string> => {
  const outcome = run?.outcome
  if (outcome === null || outcome === undefined) return []
  const shown = outcome.holes
    .slice(0, named)
    .map(({ interval, symbol }) => `not had: ${symbol} ${span(interval)}: ${because(interval.state)}`)
  const rest = outcome.holeCount - shown.length
  return [
    ...shown,
    ...(rest > 0 ? [`and ${counted(rest, "more part")} (see tapestry coverage)`] : []),
    ...(outcome.rowsFailed > 0
      ? [`rejected: ${counted(outcome.rowsFailed, "row")} that ${run?.provider} sent cannot be accepted`]
      : [])
  ]
}

/** `24 rows of ALPHA, BETA: 12 of them new, from model in 2 requests; job 0b5f3a0e, 1 attempt, 2.1 s` */
export const outcomeLine = ({ job, run }: JobView): string => {
  const about = `job ${shortId(job.id)}, ${job.state}`
  if (run === null) return about
  const { provider, symbols } = run
  const { requests, rows, rowsStored } = run.outcome ?? { ...run.progress, rowsStored: 0 }
  const many =
    symbols.length > 3 ? `${symbols.slice(0, 3).join(", ")} and ${symbols.length - 3} more` : symbols.join(", ")
  const asked =
    requests === 0 ? "no request made" : `${grouped(rows)} of them from ${provider} in ${counted(requests, "request")}`
  const took = isTerminal(job.state) ? `, ${duration(elapsedOf(run))}` : ""
  return `${counted(rowsStored, "row")} of ${many}: ${asked}; ${about}, ${counted(job.attempts, "attempt")}${took}`
}
