/**
 * One request on one connection, until the head of its answer. Interrupted, it closes the socket; so does closing the scope
 * before the body was read to its end. A kept connection that turns out dead before any byte came is not the vendor's answer:
 * what may be repeated (no body) is sent once more, on a connection of its own.
 */
import { type Agent, type ClientRequest, type IncomingMessage, request as sendPlain } from "node:http"
import { request as sendTls } from "node:https"
import { Deferred, Effect, Redacted, type Scope } from "effect"
import { agentFor } from "./HttpAgents.ts"
import { Dropped, failureOf, HttpFailure, TimedOut } from "./HttpFailure.ts"
import type { HttpPool } from "./HttpPool.ts"
import type { HttpPolicy, HttpRequest } from "./HttpRequest.ts"

export interface Head {
  readonly incoming: IncomingMessage
  /** Set when the connection fails behind the head: node tells some of that to the request alone. */
  readonly failure: () => Error | null
}

interface Sent {
  readonly request: ClientRequest
  readonly head: Deferred.Deferred<IncomingMessage, HttpFailure>
  readonly isConnected: () => boolean
  readonly isRead: () => boolean
  readonly failure: () => Error | null
}

const withCredentials = (url: URL, request: HttpRequest): URL => {
  const entries = Object.entries(request.credentials.query)
  if (entries.length === 0) return url
  const whole = new URL(url)
  for (const [name, value] of entries) whole.searchParams.set(name, Redacted.value(value))
  return whole
}

const send = (request: HttpRequest, agent: Agent | false): Effect.Effect<Sent, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { body, method, url } = request
      const secret = Object.entries(request.credentials.headers).map(([name, value]) => [name, Redacted.value(value)])
      const length = body === null ? {} : { "content-length": String(body.byteLength) }
      const options = { method, agent, headers: { ...request.headers, ...length, ...Object.fromEntries(secret) } }
      const tls = url.protocol === "https:"
      const whole = withCredentials(url, request)
      const sent = tls ? sendTls(whole, options) : sendPlain(whole, options)
      const head = Deferred.makeUnsafe<IncomingMessage, HttpFailure>()
      let connected = false
      let failure: Error | null = null
      let answer: IncomingMessage | null = null
      sent.once("socket", (socket) => {
        if (!socket.connecting) connected = true
        else {
          socket.once(tls ? "secureConnect" : "connect", () => {
            connected = true
          })
        }
      })
      sent.once("response", (incoming) => {
        answer = incoming
        Deferred.doneUnsafe(head, Effect.succeed(incoming))
      })
      sent.on("error", (error) => {
        failure = error
        Deferred.doneUnsafe(head, Effect.fail(failureOf(error, url.host)))
      })
      // A server that switches protocols without having been asked leaves neither a response nor an error.
      sent.once("close", () => {
        if (answer !== null || failure !== null) return
        Deferred.doneUnsafe(head, Effect.fail(failureOf(new Error("closed"), url.host)))
      })
      sent.end(body)
      return {
        request: sent,
        head,
        isConnected: () => connected,
        isRead: () => answer?.complete === true && answer.readableEnded,
        failure: () => failure
      }
    }),
    ({ isRead, request: sent }) =>
      Effect.sync(() => {
        // After a body that was read to its end the connection is the pool's again, and may carry another request.
        if (!isRead()) sent.destroy()
      })
  )

const late = (waitedFor: "connection" | "answer", host: string, millis: number) =>
  new HttpFailure({
    reason: new TimedOut({
      waitedFor,
      message:
        waitedFor === "connection"
          ? `no connection to ${host} within ${millis / 1000} s`
          : `${host} did not begin to answer within ${millis / 1000} s`
    })
  })

const headOf = (sent: Sent, host: string, policy: HttpPolicy) =>
  Effect.raceFirst(
    Deferred.await(sent.head),
    Effect.andThen(
      Effect.sleep(policy.connect),
      Effect.suspend(() => (sent.isConnected() ? Effect.never : Effect.fail(late("connection", host, policy.connect))))
    )
  )

/** Fails with Dropped when the connection ends without an answer. */
export const openRequest = Effect.fnUntraced(function* (pool: HttpPool, request: HttpRequest, policy: HttpPolicy) {
  const { url } = request
  const first = yield* send(request, agentFor(pool, url, false))
  return yield* headOf(first, url.host, policy).pipe(
    Effect.map((incoming): Head => ({ incoming, failure: first.failure })),
    Effect.catchIf(
      ({ reason }) => reason instanceof Dropped && first.request.reusedSocket && request.body === null,
      Effect.fnUntraced(function* () {
        const again = yield* send(request, agentFor(pool, url, true))
        const incoming = yield* headOf(again, url.host, policy)
        return { incoming, failure: again.failure } satisfies Head
      })
    )
  )
})

export const answerIsLate = (url: URL, policy: HttpPolicy): HttpFailure => late("answer", url.host, policy.firstByte)
