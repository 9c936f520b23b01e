import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { answered, contract, started } from "./client.ts"

/** A session that asks for everything, with faults that depend on chance; the bytes that came of it. */
const session = (seed: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ seed, quotas: { messagesPerSecond: 10_000 } })
      const client = yield* started(gateway.port)
      const option = [0, "AAPL", "OPT", "20260515", 187.5, "C", "", "SMART", "", "USD", "", ""] as const
      const es = [0, "ES", "FUT", "202606", 0, "", "", "CME", "", "USD", "", ""] as const
      client.send(9, 8, 1, ...contract("AAPL"), 0, "", "", "")
      client.send(78, 2, "AAPL", "", "STK", 265598)
      client.send(81, 3, "A")
      client.send(1, 11, 10, ...contract("AAPL"), 0, "100,101,104,106,165,221,233,236,292,293,411,456", 0, 0, "")
      client.send(1, 11, 11, ...option, 0, "100,101", 0, 0, "")
      client.send(1, 11, 12, ...contract("EUR", "CASH", "IDEALPRO"), 0, "", 0, 0, "")
      client.send(97, 13, ...contract("AAPL"), "AllLast", 0, 0)
      client.send(97, 14, ...contract("SPY"), "BidAsk", 0, 1)
      client.send(10, 5, 15, ...es, 10, 0, "")
      client.send(50, 3, 16, ...contract("IBM"), 5, "TRADES", 0, "")
      client.send(20, 17, ...contract("AAPL"), 0, "", "1 min", "1 D", 0, "TRADES", 1, 1, "")
      client.send(61, 1)
      client.send(6, 2, 1, "")
      client.send(92, 18, "DU1234567", "")
      yield* answered(client)
      yield* gateway.advance("90 seconds")
      yield* gateway.inject({ _tag: "Duplicates", share: 0.1 })
      yield* gateway.inject({ _tag: "OutOfOrder", share: 0.1 })
      yield* answered(client)
      yield* gateway.advance("10 minutes")
      yield* gateway.inject({ _tag: "UpstreamLost", forMillis: 5_000, restored: 1102, silent: 0.4 })
      yield* gateway.advance("2 minutes")
      yield* answered(client)
      client.send(96, 20, ...contract("AAPL"), 0, "", "20260410-14:05:00", 200, "TRADES", 0, 0, "")
      yield* answered(client)
      return { bytes: client.received.length, sha256: client.sha256() }
    })
  )

describe("the same seed", () => {
  it.effect("makes the same bytes; another seed makes others", () =>
    Effect.gen(function* () {
      const one = yield* session(5)
      const again = yield* session(5)
      const other = yield* session(6)
      assert.isAbove(one.bytes, 200_000)
      assert.deepStrictEqual(again, one)
      assert.notStrictEqual(other.sha256, one.sha256)
    })
  )
})
