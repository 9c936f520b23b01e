/** What jobs are called on the command line, and how they are wanted. */
import { Effect, Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { JobPriority, type JobSpec } from "../../domain/Job.ts"
import { UsageError } from "../failure/UsageError.ts"
import { instantFlag } from "../flags/RangeFlags.ts"

export const jobArgument = Argument.String("job").pipe(
  Argument.withDescription("The job's id, or the first letters of it (four or more) as 'jobs list' prints them")
)

export const specFlags = {
  key: Flag.String("key").pipe(
    Flag.withMetavar("KEY"),
    Flag.withDescription("What the job is known by; made of what is to be done and the day (UTC) unless given"),
    Flag.optional
  ),
  priority: Flag.Literals("priority", JobPriority.literals).pipe(
    Flag.withDescription("Which jobs come first (default medium)"),
    Flag.withDefault("medium" as const)
  ),
  notBefore: instantFlag("not-before", "Not begun before this instant").pipe(Flag.optional),
  cron: Flag.String("cron").pipe(
    Flag.withMetavar("FIELDS"),
    Flag.withDescription("Begun again whenever this says so: minute, hour, day of month, month, day of week"),
    Flag.optional
  ),
  tz: Flag.String("tz").pipe(
    Flag.withMetavar("ZONE"),
    Flag.withDescription("The time zone of --cron, as America/New_York (default UTC)"),
    Flag.optional
  ),
  attempts: Flag.Int("attempts").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How often it is tried in all, with longer and longer pauses (default 5)"),
    Flag.withDefault(5)
  ),
  again: Flag.Boolean("again").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Begin anew although a job of this key has ended"),
    Flag.withDefault(false)
  )
}

export interface SpecInput {
  readonly key: Option.Option<string>
  readonly priority: JobPriority
  readonly notBefore: Option.Option<number>
  readonly cron: Option.Option<string>
  readonly tz: Option.Option<string>
  readonly attempts: number
}

const loadFingerprint = Effect.promise(() => import("../../layers/jobs/fingerprint.ts"))

/** The job that the flags ask for. */
export const specOf = Effect.fnUntraced(function* (
  input: SpecInput,
  what: Pick<JobSpec, "type" | "payload">,
  now: number
): Effect.fn.Return<JobSpec, UsageError> {
  if (input.attempts < 1 || input.attempts > 100) {
    return yield* new UsageError({ message: `--attempts ${input.attempts}: expected 1 to 100` })
  }
  const cron = Option.getOrUndefined(input.cron)
  const zone = Option.getOrUndefined(input.tz)
  if (cron === undefined && zone !== undefined) {
    return yield* new UsageError({ message: "--tz is the time zone of --cron; leave it out, or add --cron" })
  }
  const given = Option.getOrUndefined(input.key)
  if (given !== undefined && (given === "" || given.length > 255)) {
    return yield* new UsageError({ message: "--key: expected 1 to 255 characters" })
  }
  const { fingerprint } = yield* loadFingerprint
  // One of a schedule is the same on all days.
  const day = cron === undefined ? `/${new Date(now).toISOString().slice(0, 10)}` : ""
  return {
    ...what,
    key: given ?? `${what.type}/${fingerprint(what)}${day}`,
    priority: input.priority,
    maxAttempts: input.attempts,
    ...(Option.isNone(input.notBefore) ? {} : { notBefore: input.notBefore.value }),
    ...(cron === undefined ? {} : { schedule: { cron, ...(zone === undefined ? {} : { zone }) } })
  }
})
