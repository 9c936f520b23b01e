/** The flags of the archive's lists: newest first, so many at a time. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { Page } from "../../services/ProvenanceStore.ts"
import { UsageError } from "../failure/UsageError.ts"

export const pageFlags = {
  limit: Flag.Int("limit").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("How many, newest first (default 20)"),
    Flag.withDefault(20)
  ),
  before: Flag.Int("before").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription("Only those with a lower id: the next page"),
    Flag.optional
  )
}

/** An id as a flag's value. */
export const idFlag = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withMetavar("ID"), Flag.withDescription(description), Flag.optional)

export const identityFlag = Flag.String("identity").pipe(
  Flag.withMetavar("SHA256"),
  Flag.withDescription("Only those that ask exactly this"),
  Flag.optional
)

export const pageOf = (input: {
  readonly limit: number
  readonly before: Option.Option<number>
}): Effect.Effect<Page, UsageError> =>
  input.limit < 1
    ? Effect.fail(new UsageError({ message: `--limit ${input.limit}: expected 1 or more` }))
    : Effect.succeed({
        limit: input.limit,
        ...(Option.isSome(input.before) ? { before: input.before.value } : {})
      })
