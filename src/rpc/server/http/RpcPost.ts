/**
 * POST /rpc: the lines of the body are one connection of the host's, the answers stream as lines.
 *
 * Responsibilities: cuts the body into lines, hands them over in order, and decides the status: 400 with the first line that is
 * refused with a ProtocolError, 413 where a line or the body is too long, 503 where the server is going down (each call is told
 * ShuttingDown), else 200 when the body has come whole. Answers begin
 * to leave when the status is decided, so a body of good lines is answered when its last line is there (but see AnswerBody).
 *
 * Queueing: see AnswerBody; one line is handled at a time, and the body is read as fast as lines are taken.
 *
 * Hard cases: the client leaves (node closes the response, the request's scope closes, its calls are interrupted); a body without
 * a line (one refusal); the rest of a body that is too long (not read, and the connection is closed behind the answer); a client
 * that takes nothing of its answer (the host closes it when it was idle too long, and it is cut off `closeGrace` later).
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Effect, type Scope, Stream } from "effect"
import { type HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { BorderError } from "../../contract/Border.ts"
import * as breather from "../breather.ts"
import { LineReader } from "../LineReader.ts"
import { parseLine } from "../parseLine.ts"
import { type Connection, type Incoming, RpcHost } from "../RpcHost.ts"
import * as AnswerBody from "./AnswerBody.ts"
import * as BodyRule from "./BodyRule.ts"
import { type Places, peerOf } from "./Places.ts"
import { contentType, headerOf, headersOf, tooBusy, toResponse } from "./Refusal.ts"

/** What a client has to take the rest of its answer in, when the host closes the connection. */
const closeGrace = "10 seconds"

const lineEnd = Uint8Array.of(0x0a)

/** What a refusal makes of the status; null: nothing, it is the affair of one call. */
const statusOf = (refused: BorderError | null): number | null => {
  if (refused?._tag === "ShuttingDown") return 503
  if (refused?._tag === "TenantError") return 400
  if (refused?._tag !== "ProtocolError") return null
  return refused.code === "TooLong" ? 413 : 400
}

/** Hands the body over, line by line; done when it has come whole, or when no more of it is wanted. */
const readBody = Effect.fnUntraced(function* (
  body: HttpServerRequest.HttpServerRequest["stream"],
  connection: Connection,
  answer: AnswerBody.AnswerBody
): Effect.fn.Return<void, HttpServerError.HttpServerError> {
  const reader = new LineReader()
  const breathe = breather.make()
  let bytes = 0
  let lines = 0

  /** Whether to go on. */
  const receive = Effect.fnUntraced(function* (incoming: Incoming) {
    lines = incoming.line
    const status = statusOf(yield* connection.receive(incoming))
    if (status !== null) answer.decide(status)
    return status !== 413
  })

  const take = Effect.fnUntraced(function* (chunk: Uint8Array) {
    bytes += chunk.length
    if (bytes > BodyRule.maxBody) {
      return yield* receive({ _tag: "Refused", line: lines + 1, code: "TooLong", message: BodyRule.bodyTooLong })
    }
    for (const line of reader.feed(chunk)) {
      yield* breathe
      if (!(yield* receive(parseLine(line)))) return false
    }
    return true
  })

  let wanted = true
  yield* Stream.runForEachWhile(body, (chunk) => Effect.tap(take(chunk), (more) => Effect.sync(() => (wanted = more))))
  // The last line may have no end.
  if (wanted) yield* take(lineEnd)
  if (lines > 0) return
  const message = "the body is empty; send one request a line"
  yield* receive({ _tag: "Refused", line: 1, code: "NotAMessage", message })
})

/** Takes the place of a connection of its own for one request, and answers it. */
export const make = (
  places: Places
): Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  RpcHost | HttpServerRequest.HttpServerRequest | Scope.Scope
> =>
  Effect.gen(function* () {
    const host = yield* RpcHost
    const request = yield* HttpServerRequest.HttpServerRequest
    const head = NodeHttpServerRequest.toIncomingMessage(request)
    const refusal = BodyRule.refusalOf({
      contentType: headerOf(head.headers, "content-type"),
      contentEncoding: headerOf(head.headers, "content-encoding"),
      contentLength: headerOf(head.headers, "content-length")
    })
    if (refusal !== null) return toResponse(refusal)
    yield* places.turn(head.socket)
    const peer = peerOf(head.socket)
    const scope = yield* Effect.scope
    // Closed behind the connection, whose calls are interrupted by then.
    const answer = yield* Effect.acquireRelease(Effect.sync(AnswerBody.make), ({ close }) => Effect.sync(close))
    const connection = yield* host.connect({
      kind: "http",
      peer,
      format: "ndjson",
      acknowledges: false,
      admitted: true,
      headers: headersOf(head.headers),
      write: answer.write,
      close: Effect.fnUntraced(function* () {
        const { draining } = yield* host.state
        // Idle without an answer: the body did not come.
        answer.decide(draining ? 503 : answer.isEmpty() ? 408 : 200)
        answer.end()
        const cut = Effect.sync(() => head.socket.destroy())
        yield* Effect.forkIn(Effect.andThen(Effect.sleep(closeGrace), cut), scope)
      })
    })
    if (connection === null) return toResponse(tooBusy)

    yield* readBody(request.stream, connection, answer).pipe(
      Effect.andThen(Effect.sync(() => answer.decide(200))),
      Effect.andThen(connection.quiet),
      Effect.catch((error) => Effect.logDebug(`${peer} sent half a body: ${error.message}`)),
      Effect.ensuring(
        Effect.sync(() => {
          // Only a mistake of ours leaves it undecided, and then nobody else would decide it.
          answer.decide(500)
          answer.end()
        })
      ),
      Effect.forkScoped
    )
    const status = yield* answer.status
    return HttpServerResponse.stream(answer.bytes, {
      status,
      contentType,
      ...(status === 408 || status === 413 || status === 503 ? { headers: { connection: "close" } } : {})
    })
  })
