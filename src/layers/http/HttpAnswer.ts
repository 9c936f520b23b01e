import type { ResponseMetadata } from "../../domain/Response.ts"
import type { AnswerBody } from "../../services/PayloadDraft.ts"

/**
 * What is wrong with an answer whose head came.
 *
 * - `BrokenOff`: the body did not come whole (closed early, a chunk unfinished, the total deadline). Worth another try.
 * - `TooLarge`: the body is longer than the policy allows; its beginning is kept.
 * - `RedirectRefused`: the answer leads where the policy does not go, in a circle, or nowhere.
 * - `NotKept`: the archive could not take the bytes; it says itself why when it is given the answer.
 */
export type HttpFault =
  | { readonly _tag: "BrokenOff"; readonly message: string }
  | { readonly _tag: "TooLarge"; readonly message: string }
  | { readonly _tag: "RedirectRefused"; readonly message: string }
  | { readonly _tag: "NotKept"; readonly message: string }

/** An answer, as it was on the wire: `body` is encoded as `headers["content-encoding"]` says. Header names are lower case. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AnswerBody
  readonly fault: HttpFault | null
  /** Where the answer came from in the end, without credentials. */
  readonly url: string
  readonly elapsedMillis: number
}

/** What the archive keeps of an answer beside its bytes; `adapter` is the adapter's own part. */
export const metadataOf = (answer: HttpAnswer, adapter: ResponseMetadata["adapter"] = {}): ResponseMetadata => ({
  contentType: answer.headers["content-type"] ?? null,
  encoding: answer.headers["content-encoding"] ?? null,
  transportStatus: answer.status,
  url: answer.url,
  elapsedMillis: Math.round(answer.elapsedMillis),
  headers: answer.headers,
  adapter
})
