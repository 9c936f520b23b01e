/**
 * One exchange over HTTP: a request, its redirects, and the answer with its bytes as they were on the wire.
 *
 * No retry, no pacing and no meaning in here: what a status or a body says is the adapter's to know. An answer whose head
 * came is an answer, whatever became of its body: `fault` tells. Only where no head came does it fail. Bytes go to the draft
 * of whoever archives the answer as they arrive. `FirstByte` is told when the head of the last answer is there. Interrupted,
 * the connection is closed.
 */
import { Effect, Exit, Scope } from "effect"
import { FirstByte } from "../../services/Adapter.ts"
import { PayloadDrafts } from "../../services/PayloadDraft.ts"
import { monotonicMillis } from "../monotonicMillis.ts"
import type { HttpAnswer, HttpFault } from "./HttpAnswer.ts"
import type { HttpFailure } from "./HttpFailure.ts"
import type { HttpPool } from "./HttpPool.ts"
import type { HttpPolicy, HttpRequest } from "./HttpRequest.ts"
import { answerIsLate, type Head, openRequest } from "./openRequest.ts"
import { readBody } from "./readBody.ts"
import { isRedirect, redirected } from "./redirect.ts"
import { type Secrets, secretsOf } from "./secrets.ts"

/** The body of a redirect is of no use; a short one is read so that the connection can be kept. */
const skippedBytes = 65_536

interface Reached {
  readonly head: Head
  readonly url: URL
  readonly fault: HttpFault | null
}

const headersOf = ({ incoming }: Head, secrets: Secrets): Record<string, string> =>
  Object.fromEntries(
    Object.entries(incoming.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, secrets.scrub(typeof value === "string" ? value : value.join(", "))]]
    )
  )

const skip = ({ incoming }: Head): boolean => {
  const length = incoming.headers["content-length"]
  const short = length !== undefined && Number(length) <= skippedBytes
  if (short) incoming.on("error", () => {}).resume()
  return short
}

/** Follows redirects as far as the policy goes; each connection on the way is let go before the next. */
const reach = Effect.fnUntraced(function* (
  pool: HttpPool,
  asked: HttpRequest,
  policy: HttpPolicy,
  secrets: Secrets,
  scope: Scope.Scope
): Effect.fn.Return<Reached, HttpFailure> {
  let request = asked
  for (let hop = 1; ; hop++) {
    const { url } = request
    const hopScope = yield* Scope.fork(scope)
    const head = yield* Scope.provide(openRequest(pool, request, policy), hopScope)
    const status = head.incoming.statusCode ?? 0
    if (!isRedirect(status)) return { head, url, fault: null }
    const next = redirected(request, status, head.incoming.headers.location, hop, policy, secrets)
    if ("_tag" in next) return { head, url, fault: next }
    if (!skip(head)) yield* Scope.close(hopScope, Exit.void)
    request = next
  }
})

export const exchange = Effect.fn("Http.exchange")(function* (
  pool: HttpPool,
  request: HttpRequest,
  policy: HttpPolicy
): Effect.fn.Return<HttpAnswer, HttpFailure> {
  const began = yield* monotonicMillis
  const secrets = secretsOf(request.credentials)
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const { fault, head, url } = yield* Effect.timeoutOrElse(reach(pool, request, policy, secrets, scope), {
        duration: policy.firstByte,
        orElse: () => Effect.fail(answerIsLate(request.url, policy))
      })
      const tellFirstByte = yield* FirstByte
      tellFirstByte()
      const draft = yield* yield* PayloadDrafts
      const left = Math.max(0, policy.total - ((yield* monotonicMillis) - began))
      const bodyFault = yield* Effect.timeoutOrElse(readBody(head, draft, policy.maxBytes), {
        duration: left,
        orElse: () =>
          Effect.succeed<HttpFault>({
            _tag: "BrokenOff",
            message: `the body was not there within ${policy.total / 1000} s`
          })
      })
      return {
        status: head.incoming.statusCode ?? 0,
        headers: headersOf(head, secrets),
        body: yield* draft.finish,
        fault: fault ?? bodyFault,
        url: secrets.scrub(url.href),
        elapsedMillis: (yield* monotonicMillis) - began
      }
    })
  )
})
