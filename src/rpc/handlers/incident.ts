import { Cause, Effect } from "effect"
import { InternalError } from "../contract/Border.ts"
import { shortId } from "./correlation.ts"

/** The incident that a cause is already: it was logged where the error was made. */
const known = (what: unknown): InternalError | null => {
  if (!Cause.isCause(what)) return null
  const defect = what.reasons.find(Cause.isDieReason)?.defect
  return defect instanceof InternalError ? defect : null
}

/**
 * Leaves one line in the log about a mistake of ours, with all that is known of it, and gives what others may know: its number. A
 * defect that is an incident already is the same one, and gets no second line.
 */
export const incident = (what: unknown, about: Readonly<Record<string, string>> = {}): Effect.Effect<InternalError> =>
  Effect.gen(function* () {
    const found = known(what)
    if (found !== null) return found
    const id = yield* shortId
    yield* Effect.annotateLogs(Effect.logError("tapestry.incident", what), { incident: id, ...about })
    return new InternalError({ incident: id })
  })
