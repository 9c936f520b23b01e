/** What the HTTP client makes of answers that are none of the protocol: a peer that says to each request what the test says. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import * as HttpClient from "../../../src/rpc/client/HttpClient.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"

const answering = (status: number, body: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer((request, response) => {
          request.resume()
          response.writeHead(status, { "content-type": "application/x-ndjson" }).end(body)
        }).listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/rpc`
  )

const failure = (status: number, body: string) =>
  Effect.gen(function* () {
    const url = yield* answering(status, body)
    return yield* TapestryClient.use((client) => Effect.flip(client["System.hello"]())).pipe(
      Effect.provide(HttpClient.layer({ url })),
      Effect.timeout("5 seconds")
    )
  }).pipe(Effect.scoped)

describe("over HTTP, a call whose request is refused as a whole", () => {
  it.live("fails with the border's error where the answer is one", () =>
    Effect.gen(function* () {
      const busy = yield* failure(503, '{"_tag":"TooBusy","limit":"connections","max":1024,"message":"m"}\n')
      assert.deepInclude(busy, { _tag: "TooBusy", limit: "connections", max: 1024 })
      assert.strictEqual((yield* failure(503, '{"_tag":"ShuttingDown","message":"m"}\n'))._tag, "ShuttingDown")
      const long = yield* failure(413, '{"_tag":"ProtocolError","code":"TooLong","line":1,"message":"m"}\n')
      assert.deepInclude(long, { _tag: "ProtocolError", code: "TooLong" })
    })
  )

  it.live("fails with RpcClientError where it is not", () =>
    Effect.gen(function* () {
      for (const [status, body] of [
        [403, '{"_tag":"Forbidden","message":"m"}\n'],
        [404, "<html>not here</html>"],
        [502, ""],
        [200, ""],
        [200, "<html>a proxy's page</html>\n"],
        [200, "null\n"],
        [400, ""]
      ] as const) {
        assert.strictEqual((yield* failure(status, body))._tag, "RpcClientError", `${status} ${body}`)
      }
    })
  )
})
