import { Schema } from "effect"

/** One thing that is wrong in a configuration file. */
export const ConfigurationProblem = Schema.Struct({
  /** Where it is, as `vendors.spy.columns.ts`; empty when it is the file as a whole. */
  path: Schema.String,
  /** 1-based; null where it is not known. */
  line: Schema.NullOr(Schema.Int),
  expected: Schema.String,
  found: Schema.String,
  /** What to do about it; null where `expected` says it all. */
  remedy: Schema.NullOr(Schema.String)
})
export interface ConfigurationProblem extends Schema.Schema.Type<typeof ConfigurationProblem> {}

const sentence = (problem: ConfigurationProblem): string => {
  const where = `${problem.line === null ? "" : `line ${problem.line}: `}${problem.path === "" ? "" : `${problem.path}: `}`
  return `${where}expected ${problem.expected}, found ${problem.found}${problem.remedy === null ? "" : `; ${problem.remedy}`}`
}

/** A configuration file that cannot be used, with everything that is wrong in it, in the order of its lines. */
export class ConfigurationError extends Schema.TaggedError<ConfigurationError>()("ConfigurationError", {
  file: Schema.String,
  problems: Schema.NonEmptyArray(ConfigurationProblem)
}) {
  override get message(): string {
    const [first, ...rest] = this.problems
    if (rest.length === 0) return `${this.file}: ${sentence(first)}`
    return [`${this.file}: ${this.problems.length} mistakes`, ...this.problems.map((one) => `  ${sentence(one)}`)].join(
      "\n"
    )
  }
}
