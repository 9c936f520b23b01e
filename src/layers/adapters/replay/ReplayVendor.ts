/** A vendor of `adapter: replay`: what `tapestry.yaml` may say of it, and what holds where it says nothing. */
import { Result, Schema } from "effect"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import { Speed, speedOf } from "../../recording/Speed.ts"

export const ReplayVendorSpec = Schema.Struct({
  adapter: Schema.Literal("replay").annotate({ expected: '"replay", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  session: Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "the number of a recorded session" }),
  speed: Schema.optionalKey(Speed)
})
export interface ReplayVendorSpec extends Schema.Schema.Type<typeof ReplayVendorSpec> {}

/** A replay, checked. */
export interface ReplayVendor {
  readonly adapter: "replay"
  readonly name: string
  readonly description: string
  readonly session: number
  /** Infinite: no pause at all. */
  readonly speed: number
}

export const resolveVendor = (
  name: string,
  { description = "", session, speed = 1 }: ReplayVendorSpec
): Result.Result<ReplayVendor, ReadonlyArray<DocumentProblem>> =>
  Result.succeed({
    adapter: "replay",
    name,
    description: `the recording of session ${session}${description === "" ? "" : `: ${description}`}`,
    session,
    speed: speedOf(speed)
  })
