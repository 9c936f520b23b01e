/** Feeds and the API over HTTP of Interactive Brokers, by its adapter from the simulated gateway. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import * as ContractLookupsLive from "../../../../src/layers/lookups/ContractLookupsLive.ts"
import type { AdapterRegistry } from "../../../../src/services/AdapterRegistry.ts"
import type { IngestSession } from "../../../../src/services/IngestSession.ts"
import type { MarketStreams } from "../../../../src/services/MarketStreams.ts"
import type { StitchingCache } from "../../../../src/services/StitchingCache.ts"
import { type Rig, rigged } from "../../../layers/adapters/ibkr/rigged.ts"
import { ask, serve } from "../support.ts"
import { listen } from "./support.ts"

const second = 1_000

/** A server over the services at hand. */
const served = Effect.gen(function* () {
  const here = Layer.succeedContext(
    yield* Effect.context<MarketStreams | AdapterRegistry | StitchingCache | IngestSession>()
  )
  return yield* serve({}, undefined, undefined, undefined, here, Layer.provide(ContractLookupsLive.layer, here))
})

/** An answer that takes the gateway's time. */
const got = Effect.fnUntraced(function* ({ pass }: Rig, port: number, path: string) {
  const asking = yield* Effect.forkChild(ask(port, { path }), { startImmediately: true })
  while (asking.pollUnsafe() === undefined) yield* pass(250)
  const answer = yield* Fiber.join(asking)
  return { ...answer, json: JSON.parse(answer.text) }
})

/** The messages of a client until one is so, in the gateway's time. */
const passUntil = Effect.fnUntraced(function* (rig: Rig, holds: () => boolean) {
  for (let step = 0; step < 400 && !holds(); step++) yield* rig.pass(250)
  assert.isTrue(holds())
})

describe("feeds of a gateway", () => {
  it.effect("have the market's quotes, say so when the gateway is gone, and go on when it is back", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const { gateway, pass } = rig
        const { port } = yield* served
        const client = yield* listen(port, "/ws/quotes/SPY")
        yield* passUntil(rig, () => client.of("quote").length > 5)
        const quote = client.of("quote").at(-1)
        const truth = gateway.truth("SPY", gateway.now() - 60 * second, gateway.now() + 1)
        assert.isTrue(truth.quotes.some(({ ask, bid }) => bid === quote?.bid && ask === quote?.ask))
        assert.deepInclude(quote, {
          symbol: "SPY",
          vendor: "ibkr",
          data_type: "live",
          delayed: false,
          simulated: false
        })
        const before = client.messages.length
        yield* gateway.inject({ _tag: "Drop", how: "rst" })
        yield* passUntil(rig, () => client.of("gap").length > 0)
        assert.strictEqual((yield* ask(port, { path: "/readyz" })).status, 503)
        yield* passUntil(rig, () => client.of("unrepairable").length > 0)
        yield* passUntil(rig, () => client.messages.at(-1)?.type === "quote")
        const words = client.messages.slice(before).filter(({ type }) => type !== "quote" && type !== "data_type")
        assert.deepStrictEqual(
          words.map(({ type }) => type),
          ["gap", "resumed", "unrepairable"]
        )
        assert.strictEqual((yield* ask(port, { path: "/readyz" })).status, 200)
        yield* pass(second)
      })
    )
  )

  it.effect("are seen under the names of the system that they replace, and with what happens to each stream", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const { gateway } = rig
        const { port } = yield* served
        const client = yield* listen(port, "/ws/quotes/SPY")
        yield* passUntil(rig, () => client.of("quote").length > 2)
        yield* gateway.inject({ _tag: "Malformed", what: "hugeLength" })
        yield* passUntil(rig, () => client.of("unrepairable").length > 0)
        yield* got(rig, port, "/account")
        const { text } = yield* ask(port, { path: "/metrics" })
        const value = (name: string): number => {
          const line = text.split("\n").find((one) => one.startsWith(`${name} `))
          return line === undefined ? Number.NaN : Number(line.slice(name.length))
        }
        const of = 'vendor="ibkr",kind="quotes"'
        for (const name of [
          'market_data_requests_total{method="GET",endpoint="/account",status_code="200"}',
          "market_data_request_duration_seconds_count",
          'websocket_clients_total{stream_type="quotes"}',
          "websocket_messages_sent_total",
          'ibkr_connection_status{status="Ready"}',
          "ibkr_reconnects_total",
          'ibkr_subscriptions_total{type="quotes"}',
          'ibkr_decode_errors_total{kind="damaged"}',
          `tapestry_stream_rows_total{${of},way="in"}`,
          `tapestry_stream_rows_total{${of},way="out"}`,
          `tapestry_stream_gaps_total{${of}}`,
          `tapestry_stream_gap_seconds_total{${of}}`,
          `tapestry_stream_repairs_total{${of},outcome="unrepairable"}`,
          `tapestry_stream_opened_total{${of}}`
        ]) {
          assert.isAbove(value(name), 0, name)
        }
        for (const name of [
          `tapestry_stream_rows_total{${of},way="dropped"}`,
          `tapestry_stream_repairs_total{${of},outcome="repaired"}`,
          'websocket_dropped_messages_total{reason="conflated"}',
          'ibkr_decode_errors_total{kind="undecodable"}',
          "tapestry_stream_queue_depth"
        ]) {
          assert.isAtLeast(value(name), 0, name)
        }
      })
    )
  )

  it.effect("have its books, sorted, and its accounts, whole", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const { port } = yield* served
        const depth = yield* listen(port, "/ws/depth/SPY")
        const portfolio = yield* listen(port, "/ws/portfolio/DU1234567")
        yield* passUntil(rig, () => depth.of("depth").length > 3)
        for (const { asks, bids } of depth.of("depth")) {
          const prices = (side: unknown) => (Array.isArray(side) ? side.map(([price]) => price) : [])
          assert.deepStrictEqual(
            prices(bids),
            prices(bids).toSorted((a, b) => b - a)
          )
          assert.deepStrictEqual(
            prices(asks),
            prices(asks).toSorted((a, b) => a - b)
          )
        }
        yield* passUntil(rig, () => portfolio.messages.at(-1)?.complete === true)
        const { json, status } = yield* got(rig, port, "/positions?account_id=DU1234567")
        assert.strictEqual(status, 200)
        assert.deepInclude(json, { account: "DU1234567", vendor: "ibkr", complete: true })
        const names = (message: Readonly<Record<string, unknown>> | undefined) =>
          Array.isArray(message?.positions) ? message.positions.map(({ symbol }) => symbol) : []
        assert.sameMembers(names(json), names(portfolio.messages.at(-1)))
        assert.includeMembers(names(json), ["AAPL", "SPY"])
        const account = yield* got(rig, port, "/account")
        assert.include(
          account.json.values.map(({ tag }: { tag: string }) => tag),
          "NetLiquidation"
        )
      })
    )
  )

  it.effect("have its contracts, its chains and its bars over HTTP; what it does not know is 404", () =>
    rigged((rig) =>
      Effect.gen(function* () {
        const { port } = yield* served
        const { json } = yield* got(rig, port, "/contracts?symbol=AAPL")
        assert.deepInclude(json.contracts[0], { symbol: "AAPL", kind: "stock", currency: "USD" })
        const options = yield* got(rig, port, "/options?symbol=AAPL&max_contracts=10")
        assert.strictEqual(options.status, 200, options.text)
        assert.deepInclude(options.json, { vendor: "ibkr", contracts: 10, truncated: true })
        const bars = yield* got(rig, port, "/prices?symbol=AAPL&interval=1m&limit=5")
        assert.strictEqual(bars.status, 200, bars.text)
        assert.deepInclude(bars.json, { vendor: "ibkr", count: 5, complete: true }, bars.text)
        const unknown = yield* got(rig, port, "/contracts?symbol=NOSUCHTHING")
        assert.strictEqual(unknown.status, 404, unknown.text)
      })
    )
  )
})
