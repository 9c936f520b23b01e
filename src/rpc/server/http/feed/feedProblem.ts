import { errorPath } from "../../../handlers/errorPath.ts"
import { retryAfter, statusOf } from "../errorStatus.ts"
import { problem } from "../problem.ts"
import type { Refusal } from "../Refusal.ts"

/** Why there is no feed, for who asked for it. */
export const feedProblem = (error: { readonly message: string }): Refusal => {
  const seconds = retryAfter(error)
  const what = { detail: error.message, error: errorPath(error) }
  return problem(statusOf(error), what, seconds === null ? undefined : { "retry-after": String(seconds) })
}
