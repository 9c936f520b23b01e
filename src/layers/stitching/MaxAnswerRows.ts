import { Context } from "effect"

/** Most rows that one answer may have; more is refused with TooManyRows before or after the fetch. 10 million by default. */
export const MaxAnswerRows = Context.Reference<number>("tapestry/StitchingCache/MaxAnswerRows", {
  defaultValue: () => 10_000_000
})
