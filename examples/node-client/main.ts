/**
 * A client in Node: connects to a running server by TCP, says hello, plans a range, streams its bars, and catches errors by tag.
 *
 *     npm run build                     # in a checkout: `tapestry/client` is its dist/; elsewhere: npm install
 *     tapestry serve &                  # in a checkout: npm start &
 *     TAPESTRY_TCP=127.0.0.1:7000 node examples/node-client/main.ts
 */
import { Config, Console, Effect, Layer, Stream } from "effect"
import { TapestryClient, TcpClient } from "tapestry/client"

const Client = Layer.unwrap(
  Effect.map(Config.String("TAPESTRY_TCP").pipe(Config.withDefault("127.0.0.1:7000")), (address) => {
    const url = new URL(`tcp://${address}`)
    return TcpClient.layer({ host: url.hostname, port: Number(url.port) })
  })
)

const program = Effect.gen(function* () {
  const client = yield* TapestryClient
  const hello = yield* client["System.hello"]()
  yield* Console.log(`tapestry ${hello.product}, protocol ${hello.protocol}, ${hello.procedures.length} procedures`)

  const series = yield* client["Series.resolve"]({
    vendor: "sample",
    query: { symbol: "SPX", kind: "bar", timeframe: "1d" }
  })
  const range = { start: Date.UTC(2019, 0, 1), end: Date.UTC(2020, 0, 1) }

  const plan = yield* client["Series.plan"]({ series, range })
  yield* Console.log(`${plan.pieces.length} piece(s), ${plan.requests.length} request(s) to the vendor`)

  const highest = yield* client["Series.bars"]({ series, range }).pipe(
    Stream.runFold(
      () => ({ bars: 0, high: 0 }),
      ({ bars, high }, bar) => ({ bars: bars + 1, high: Math.max(high, bar.high) })
    )
  )
  yield* Console.log(`${highest.bars} bars, the highest high ${highest.high.toFixed(2)}`)

  yield* client["Series.explain"]({ series, ts: Date.UTC(2019, 0, 1) }).pipe(
    Effect.catchReason("StitchingCacheError", "NoSuchRow", (reason) =>
      Console.log(`no row at ${new Date(reason.ts).toISOString()}`)
    )
  )
  yield* client["Vendors.describe"]({ vendor: "nobody" }).pipe(
    Effect.catchTag("AdapterRegistryError", (error) => Console.log(error.message))
  )
})

await Effect.runPromise(
  program.pipe(
    Effect.catchTag("RpcClientError", (error) => Console.error(`no server, or it went away: ${error.message}`)),
    Effect.catchTag(["TooBusy", "ShuttingDown"], (error) => Console.error(`try again later: ${error.message}`)),
    Effect.provide(Client)
  )
)
