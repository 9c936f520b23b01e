import { ProblemDetails } from "effect/http"
import { type Refusal, reasonOf } from "./Refusal.ts"
import { pathOf } from "./url.ts"

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

/** As who asks at this address reads it: who calls over /rpc a JSON line, everybody else problem details. */
export const toldAt = (url: string, refusal: Refusal): Refusal => {
  if (refusal.contentType !== undefined || pathOf(url) === "/rpc") return refusal
  const { _tag, message, ...more } = refusal.line
  return problem(refusal.status, { ...more, detail: String(message), error: String(_tag) }, refusal.headers)
}
