/** Makes a client, calls `System.hello` as often as its third argument says, closes its scope, and must then end by itself. */
import { Effect, Layer } from "effect"
import * as HttpClient from "../../../src/rpc/client/HttpClient.ts"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import * as TcpClient from "../../../src/rpc/client/TcpClient.ts"
import * as UnixClient from "../../../src/rpc/client/UnixClient.ts"
import * as WebSocketClient from "../../../src/rpc/client/WebSocketClient.ts"

const [, , transport, address = "", calls = "0"] = process.argv

const layer = Layer.suspend(() => {
  switch (transport) {
    case "tcp":
      return TcpClient.layer({ host: "127.0.0.1", port: Number(address) })
    case "unix":
      return UnixClient.layer({ path: address })
    case "http":
      return HttpClient.layer({ url: `http://127.0.0.1:${address}/rpc` })
    default:
      return WebSocketClient.layer({ url: `ws://127.0.0.1:${address}/rpc` })
  }
})

await Effect.runPromise(
  Effect.gen(function* () {
    const client = yield* TapestryClient
    for (let call = 0; call < Number(calls); call++) yield* Effect.ignore(client["System.hello"]())
  }).pipe(Effect.provide(layer))
)
const closed = performance.now()
process.once("exit", () => console.log(`ended ${Math.round(performance.now() - closed)} ms after`))
