/** A vendor of `adapter: fallback`: what `tapestry.yaml` may say of it, and what holds where it says nothing. */
import { Result, Schema } from "effect"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import type { FallbackOptions } from "./fallbackStream.ts"

const Seconds = Schema.Finite.check(Schema.isBetween({ minimum: 1, maximum: 3_600 })).annotate({
  expected: "seconds, from 1 to 3600"
})

export const FallbackVendorSpec = Schema.Struct({
  adapter: Schema.Literal("fallback").annotate({ expected: '"fallback", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  /** The vendor whose streams these are. */
  of: Schema.NonEmptyString.annotate({ expected: "the name of the vendor that it stands in for" }),
  /** Seconds without that vendor before rows are made up. */
  after: Schema.optionalKey(Seconds),
  seed: Schema.optionalKey(Schema.Int.annotate({ expected: "a whole number" })),
  /** Made-up rows a second of each stream, on average. */
  rate: Schema.optionalKey(
    Schema.Finite.check(Schema.isBetween({ minimum: 0.1, maximum: 1_000 })).annotate({
      expected: "rows a second, from 0.1 to 1000"
    })
  )
})
export interface FallbackVendorSpec extends Schema.Schema.Type<typeof FallbackVendorSpec> {}

/** A fallback, checked. */
export interface FallbackVendor extends FallbackOptions {
  readonly adapter: "fallback"
  readonly name: string
  readonly description: string
  readonly of: string
}

export const resolveVendor = (
  name: string,
  { after = 10, description = "", of, rate = 2, seed = 1 }: FallbackVendorSpec
): Result.Result<FallbackVendor, ReadonlyArray<DocumentProblem>> =>
  of === name
    ? Result.fail([{ path: ["vendors", name, "of"], expected: "another vendor", found: of, remedy: null }])
    : Result.succeed({
        adapter: "fallback",
        name,
        description: `${of}, and rows that are made up while it does not send; for demonstrations${description === "" ? "" : `: ${description}`}`,
        of,
        after: after * 1_000,
        rate,
        seed
      })
