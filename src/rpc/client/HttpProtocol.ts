import { Effect, Layer, Option, Schema } from "effect"
import { HttpBody, HttpClient, HttpClientError, HttpClientRequest, type HttpClientResponse } from "effect/http"
import { RpcClient, RpcClientError, type RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { BorderError } from "../contract/Border.ts"

type Protocol = RpcClient.Protocol["Service"]
type Deliver = Parameters<Protocol["run"]>[1]

/** A server that is asked for this long to answer anything at all, and does not, is given up. */
const patience = "4 seconds"

/** As a socket whose pings are not answered says it: the connection, not the protocol, is what failed. */
const gone = new RpcClientError.RpcClientError({
  reason: new Socket.SocketReadError({ cause: new Error("the server does not answer any more") })
})

const unreadable = (cause: unknown) =>
  new RpcClientError.RpcClientError({
    reason: new RpcClientError.RpcClientDefect({ message: "the answer is none of the protocol", cause })
  })

const ping = HttpBody.text('{"_tag":"Ping"}\n', "application/x-ndjson")

/** Lets the statuses through under which the calls themselves are answered; the text of another says why. */
const spoken = (
  response: HttpClientResponse.HttpClientResponse
): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> => {
  if (response.status === 400 || (response.status >= 200 && response.status < 300)) return Effect.succeed(response)
  return Effect.flatMap(response.text, (description) =>
    Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.StatusCodeError({ request: response.request, response, description })
      })
    )
  )
}

const decodeRefusal = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.toCodecJson(BorderError)))

/** The error of the border that the whole request was refused with, where it was one (503, 413), as it was sent. */
const refusalOf = ({ reason }: RpcClientError.RpcClientError): Option.Option<unknown> =>
  reason._tag === "HttpError" && reason.cause instanceof HttpClientError.StatusCodeError
    ? Option.map(decodeRefusal(reason.cause.description), encodeRefusal)
    : Option.none()
const encodeRefusal = Schema.encodeSync(Schema.toCodecJson(BorderError))

/**
 * effect's HTTP protocol, a request a call.
 *
 * Responsibilities: (1) a request that is refused as a whole fails its call with the border's error where it was one (TooBusy, ShuttingDown,
 * a request that is too long), else with RpcClientError and the status (the refusal of a foreign Host, a proxy's page); (2) a call
 * that waits long asks from time to time, on a request of its own, whether the server is still there, and all calls fail when it
 * does not say; HTTP itself would wait for ever.
 *
 * Queueing: none of its own. A call is a request at once; how many of them share connections, or wait for one, is the platform's
 * `fetch` to say. There is no Ack: rows that are not taken stop the reading of that answer's body, and no other.
 *
 * Hard cases: when the server is silent, all calls are told before the one that asked is cut off, or the consumer of its stream
 * would see an interruption instead of an error. A server that cannot be asked (refused, a connection reset) may still be
 * answering: the calls find out for themselves. A line that is JSON and no message makes effect's client throw: that is the
 * failure of its call.
 */
const make = (client: HttpClient.HttpClient, protocol: Protocol, url: string): Protocol => {
  const clients = new Map<number, Deliver>()
  const silence = client.post(url, { body: ping }).pipe(
    Effect.flatMap((response) => response.text),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.fail(gone) }),
    Effect.catchTag("HttpClientError", () => Effect.void),
    Effect.delay(patience),
    Effect.forever
  )
  return {
    ...protocol,
    run: (clientId, deliver) =>
      Effect.suspend(() => {
        clients.set(clientId, deliver)
        return protocol.run(clientId, deliver)
      }).pipe(Effect.ensuring(Effect.sync(() => clients.delete(clientId)))),
    send: (clientId, message) => {
      if (message._tag !== "Request") return protocol.send(clientId, message)
      const deliver: Deliver = (answer) => clients.get(clientId)?.(answer) ?? Effect.void
      // A line that is JSON and no message makes effect's client throw.
      const sent = Effect.catchDefect(protocol.send(clientId, message), (cause) => Effect.fail(unreadable(cause)))
      const answered = Effect.catchTag(sent, "RpcClientError", (error) =>
        Option.match(refusalOf(error), {
          onNone: () => Effect.fail(error),
          onSome: (refusal) => {
            const exit = { _tag: "Failure" as const, cause: [{ _tag: "Fail" as const, error: refusal }] }
            return deliver({ _tag: "Exit", requestId: message.id, exit })
          }
        })
      )
      const tell = Effect.tapError(silence, (error) => deliver({ _tag: "ClientProtocolError", error }))
      return Effect.raceFirst(answered, tell)
    }
  }
}

export const layer = (options: {
  readonly url: string
}): Layer.Layer<RpcClient.Protocol, never, HttpClient.HttpClient | RpcSerialization.RpcSerialization> =>
  Layer.effect(
    RpcClient.Protocol,
    Effect.gen(function* () {
      const client = yield* HttpClient.HttpClient
      const strict = HttpClient.transformResponse(client, Effect.flatMap(spoken))
      const protocol = yield* RpcClient.makeProtocolHttp(
        HttpClient.mapRequest(strict, HttpClientRequest.prependUrl(options.url))
      )
      return make(client, protocol, options.url)
    })
  )
