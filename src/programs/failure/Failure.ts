/** What a failed command says of itself: one line for people, one document for programs, and an exit code. */
import { Cause, Predicate } from "effect"
import { ConfigurationError } from "../../layers/config/ConfigurationError.ts"
import { oneLine } from "../terminal/Style.ts"

/** `{"error":{"_tag","reason","message"}}`: the service's error, the reason inside it, and a sentence that says what to do. */
export interface ErrorDocument {
  readonly error: { readonly _tag: string; readonly reason: string; readonly message: string }
}

const tagOf = (value: unknown): string | null =>
  Predicate.hasProperty(value, "_tag") && typeof value._tag === "string" ? value._tag : null

/**
 * The service error nearest to the cause, and the cause. Services wrap each other's errors (a range that fails because a
 * vendor is unknown is a StitchingCacheError around an AdapterRegistryError); the same cause is named the same whichever way
 * it came.
 */
const namesOf = (error: unknown): { readonly tag: string; readonly reason: string } => {
  const tag = tagOf(error)
  if (tag === null) return { tag: "InternalError", reason: "Defect" }
  if (!Predicate.hasProperty(error, "reason")) return { tag, reason: tag }
  const reason = tagOf(error.reason)
  if (reason === null) return { tag, reason: tag }
  return Predicate.hasProperty(error.reason, "reason") && tagOf(error.reason.reason) !== null
    ? namesOf(error.reason)
    : { tag, reason }
}

/** One line, but for a configuration file with several mistakes, each of which has a line of its own. */
const messageOf = (error: unknown): string => {
  if (error instanceof ConfigurationError) {
    return error.message.split("\n").map(oneLine).join("\n")
  }
  if (Predicate.hasProperty(error, "message") && typeof error.message === "string" && error.message !== "") {
    return oneLine(error.message)
  }
  return tagOf(error) ?? oneLine(String(error))
}

/** The error of a failed command as a document. A defect says where its trace can be had. */
export const documentOf = (cause: Cause.Cause<unknown>): ErrorDocument => {
  const failure = cause.reasons.find(Cause.isFailReason)
  const error = failure === undefined ? Cause.squash(cause) : failure.error
  if (failure === undefined) {
    return {
      error: {
        _tag: "InternalError",
        reason: "Defect",
        message: `internal error: ${messageOf(error)} (run it again with --log-level debug for the trace)`
      }
    }
  }
  const { tag, reason } = namesOf(error)
  return { error: { _tag: tag, reason, message: messageOf(error) } }
}
