import { Effect } from "effect"
import { UsageError } from "../failure/UsageError.ts"

/** What a flag lists with commas between, each once. */
export const listOf = (name: string, given: string): Effect.Effect<ReadonlyArray<string>, UsageError> => {
  const items = [...new Set(given.split(",").map((item) => item.trim()))].filter((item) => item !== "")
  return items.length > 0
    ? Effect.succeed(items)
    : Effect.fail(new UsageError({ message: `--${name} names nothing: expected some, with commas between` }))
}
