/**
 * A list of faults with their times, as a file has it:
 *
 * ```yaml
 * - at: 30s
 *   fault: UpstreamLost
 *   forMillis: 10000
 *   restored: 1102
 * - every: 10m
 *   fault: Drop
 *   how: rst
 * ```
 *
 * `at` is how long after the start something happens, `every` how often it happens again (first after that time, or after `at`); what else an entry
 * says are the fields of its fault.
 */
import { Result, Schema } from "effect"
import { parseYaml } from "../../config/parseYaml.ts"
import { Fault } from "./Faults.ts"

/** A scenario that cannot be meant; `message` says which entry, counted from 1, and why. */
export class ScenarioError extends Schema.TaggedError<ScenarioError>()("ScenarioError", { detail: Schema.String }) {
  override get message(): string {
    return `the scenario cannot be read: ${this.detail}`
  }
}

/** Milliseconds of simulated time after the start. */
export interface ScenarioStep {
  readonly atMillis: number
  /** Null: it happens once. */
  readonly everyMillis: number | null
  readonly fault: Fault
}

const durationForm = /^(\d+)(ms|s|m|h|d)$/
const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const millisOf = (value: unknown): number | null => {
  const [, amount, unit] = durationForm.exec(String(value)) ?? []
  return amount === undefined || unit === undefined ? null : Number(amount) * (units[unit] ?? 1)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const decode = Schema.decodeUnknownResult(Fault, { onExcessProperty: "error" })

const stepOf = (entry: unknown): Result.Result<ScenarioStep, string> => {
  if (!isRecord(entry)) return Result.fail("it is no mapping")
  const { at, every, fault, ...fields } = entry
  const atMillis = at === undefined ? null : millisOf(at)
  const everyMillis = every === undefined ? null : millisOf(every)
  if (at !== undefined && atMillis === null) return Result.fail(`at: ${at} is no duration (30s, 5m, 1h)`)
  if (every !== undefined && (everyMillis === null || everyMillis < 1_000)) {
    return Result.fail(`every: ${every} is no duration of a second or more`)
  }
  const first = atMillis ?? everyMillis
  if (first === null) return Result.fail("it says neither at nor every")
  return Result.mapBoth(decode({ _tag: fault, ...withClock(fields) }), {
    onFailure: (error) => String(error.message).replaceAll("\n", " "),
    onSuccess: (decoded) => ({ atMillis: first, everyMillis, fault: decoded })
  })
}

/** `at` of a nightly reset is called `time` here, as `at` is when it is set. */
const withClock = ({ time, ...fields }: Readonly<Record<string, unknown>>) =>
  time === undefined ? fields : { ...fields, at: time }

export const parseScenario = (text: string): Result.Result<ReadonlyArray<ScenarioStep>, ScenarioError> => {
  const failed = (detail: string) => Result.fail(new ScenarioError({ detail }))
  const parsed = parseYaml(text)
  if (Result.isFailure(parsed)) {
    const { found, line } = parsed.failure
    return failed(line === null ? found : `line ${line}: ${found}`)
  }
  if (!Array.isArray(parsed.success)) return failed("it is no list")
  const steps: Array<ScenarioStep> = []
  for (const [index, entry] of parsed.success.entries()) {
    const step = stepOf(entry)
    if (Result.isFailure(step)) return failed(`entry ${index + 1}: ${step.failure}`)
    steps.push(step.success)
  }
  return Result.succeed(steps)
}
