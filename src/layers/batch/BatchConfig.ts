/** `batch:` in tapestry.yaml: how the batch processor of a server gathers and flushes. What is not given is as in {@link defaults}. */
import { Duration, type Path, Result, Schema } from "effect"
import { OverflowPolicy } from "../../services/BatchProcessor.ts"
import type { DocumentProblem } from "../config/issueProblems.ts"
import { ByteCount, Millis } from "../config/units.ts"
import { defaults } from "./BatchOptions.ts"

const Count = (most: number, what: string) =>
  Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: most })).annotate({
    expected: `a whole number of ${what} from 1 to ${most}`
  })

/** More rows or bytes than that make no batch faster, and hold the writers of everybody longer. */
const mostRows = 65_536
const mostBytes = 64 * 1_048_576
const mostCapacity = 10_000_000
const mostAtOnce = 64

export const BatchSpec = Schema.Struct({
  rows: Schema.optionalKey(Count(mostRows, "rows")),
  bytes: Schema.optionalKey(ByteCount),
  age: Schema.optionalKey(Millis),
  capacity: Schema.optionalKey(Count(mostCapacity, "rows")),
  overflow: Schema.optionalKey(
    OverflowPolicy.annotate({
      expected: `what becomes of a row that finds the buffer full: ${OverflowPolicy.literals.join(", ")}`
    })
  ),
  concurrency: Schema.optionalKey(Count(mostAtOnce, "batches")),
  deadLetters: Schema.optionalKey(Schema.NonEmptyString.annotate({ expected: "a file" }))
})
type BatchSpec = typeof BatchSpec.Type

/** With nothing left out; bytes and milliseconds. */
export interface BatchConfig {
  readonly rows: number
  readonly bytes: number
  readonly age: number
  readonly capacity: number
  readonly overflow: OverflowPolicy
  readonly concurrency: number
  /** Absolute; null: in the data directory. */
  readonly deadLetters: string | null
}

export const batchDefaults: BatchConfig = {
  rows: defaults.maxRows,
  bytes: defaults.maxBytes,
  age: Duration.toMillis(defaults.maxAge),
  capacity: defaults.capacity,
  overflow: defaults.overflow,
  concurrency: defaults.concurrency,
  deadLetters: null
}

/** Relative paths start from `baseDir`. */
export const resolveBatch = (
  spec: BatchSpec,
  baseDir: string,
  path: Path.Path
): Result.Result<BatchConfig, ReadonlyArray<DocumentProblem>> => {
  const { deadLetters, ...given } = spec
  const batch: BatchConfig = {
    ...batchDefaults,
    ...given,
    deadLetters: deadLetters === undefined ? null : path.resolve(baseDir, deadLetters)
  }
  const problems: Array<DocumentProblem> = []
  if (batch.bytes > mostBytes) {
    problems.push({
      path: ["batch", "bytes"],
      expected: "a size of 64 MiB at most",
      found: null,
      remedy: "a batch is held in memory; more bytes make none faster"
    })
  }
  if (batch.capacity < batch.rows) {
    problems.push({
      path: ["batch", spec.capacity === undefined ? "rows" : "capacity"],
      expected: `room for the rows of a batch: ${batch.rows} rows, and a capacity of ${batch.capacity}`,
      found: null,
      remedy: "raise capacity, or lower rows"
    })
  }
  return problems.length === 0 ? Result.succeed(batch) : Result.fail(problems)
}

/** As the processor takes them. */
export const batchOptions = ({ age, bytes, capacity, concurrency, overflow, rows }: BatchConfig) => ({
  maxRows: rows,
  maxBytes: bytes,
  maxAge: age,
  capacity,
  overflow,
  concurrency
})

/** The file of a tenant other than the default one has its name in it: letters of tenants are not mixed. */
export const ofTenant = (file: string, tenant: string | null, path: Path.Path): string => {
  if (tenant === null) return file
  const { dir, ext, name } = path.parse(file)
  return path.join(dir, `${name}.${tenant}${ext}`)
}
