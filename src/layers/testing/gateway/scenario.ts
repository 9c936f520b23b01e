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
import { problemsOf } from "../../config/issueProblems.ts"
import { nearest } from "../../config/nearest.ts"
import { parseYaml } from "../../config/parseYaml.ts"
import { lineOf, yamlLines } from "../../config/yamlLines.ts"
import { Fault } from "./Faults.ts"

/** A scenario that cannot be meant; `message` says on which line, in which entry, counted from 1, what is wrong. */
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

const decode = Schema.decodeUnknownResult(Fault, { onExcessProperty: "error", errors: "all" })
const names: ReadonlyArray<string> = Object.keys(Fault.cases)

/** The key of an entry that is wrong, or null where it is the entry as a whole, and why. */
interface Mistake {
  readonly key: string | null
  readonly why: string
}
const wrong = (key: string | null, why: string) => Result.fail<Mistake>({ key, why })

const inWords = (value: unknown): string => (value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value)))

const stepOf = (entry: unknown): Result.Result<ScenarioStep, Mistake> => {
  if (!isRecord(entry)) return wrong(null, "it is no mapping")
  const { at, every, fault, ...fields } = entry
  const atMillis = at === undefined ? null : millisOf(at)
  const everyMillis = every === undefined ? null : millisOf(every)
  if (at !== undefined && atMillis === null) return wrong("at", `${inWords(at)} is no duration (30s, 5m, 1h)`)
  if (every !== undefined && (everyMillis === null || everyMillis < 1_000)) {
    return wrong("every", `${inWords(every)} is no duration of a second or more`)
  }
  const first = atMillis ?? everyMillis
  if (first === null) return wrong(null, "it says neither at nor every")
  if (typeof fault !== "string" || !names.includes(fault)) {
    const meant = typeof fault === "string" ? nearest(fault, names) : null
    const remedy = meant === null ? "" : `; did you mean ${meant}?`
    return wrong("fault", `expected one of ${names.join(", ")}, found ${inWords(fault)}${remedy}`)
  }
  return Result.mapBoth(decode({ _tag: fault, ...withClock(fields) }), {
    onFailure: ({ issue }): Mistake => {
      const [problem] = problemsOf(issue)
      const [name = null] = problem?.path ?? []
      const key = name === "at" ? "time" : name
      const found = problem?.found ?? inWords(key === null ? undefined : fields[key])
      const remedy = problem?.remedy == null ? "" : `; ${problem.remedy}`
      return { key, why: `expected ${problem?.expected ?? "something else"}, found ${found}${remedy}` }
    },
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
    if (Result.isFailure(step)) {
      const { key, why } = step.failure
      const line = lineOf(yamlLines(text), [String(index), ...(key === null ? [] : [key])])
      return failed(
        `${line === null ? "" : `line ${line}, `}entry ${index + 1}: ${key === null ? "" : `${key}: `}${why}`
      )
    }
    steps.push(step.success)
  }
  return Result.succeed(steps)
}
