import { Effect } from "effect"
import manifest from "../../../package.json" with { type: "json" }
import { UsageError } from "./UsageError.ts"

const major = (version: string): number => Number.parseInt(version.replace(/^\D+/, ""), 10)

/** Fails on a Node that is older than the release allows: what it lacks would else be an internal error somewhere. */
export const expectNode = (version: string): Effect.Effect<void, UsageError> => {
  const needed = major(manifest.engines.node)
  return major(version) >= needed
    ? Effect.void
    : Effect.fail(
        new UsageError({
          message: `tapestry needs Node ${needed} or newer, and this is Node ${version}; in the project's folder 'npm run tapestry --' has the right one`
        })
      )
}
