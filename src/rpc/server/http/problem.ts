import { ProblemDetails } from "effect/http"
import { type Refusal, reasonOf } from "./Refusal.ts"

/** A refusal as RFC 9457 has it: `detail` says what is wrong and what there is instead, `error` is the path of the typed error. */
export const problem = (
  status: number,
  extension: { readonly detail: string; readonly error: string },
  headers?: Readonly<Record<string, string>>
): Refusal => ({
  status,
  line: { type: ProblemDetails.blankType, status, title: reasonOf(status), ...extension },
  contentType: ProblemDetails.contentType,
  ...(headers === undefined ? {} : { headers })
})
