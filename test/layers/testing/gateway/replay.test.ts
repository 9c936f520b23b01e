import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { unpack } from "../../../../src/layers/adapters/file/unpack.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { answered, contract, errorsOf, started } from "./client.ts"

const lines = [
  "time,price,size,exchange,conditions",
  "2024-05-17T13:30:00.250Z,101.5,100,ARCA,",
  "2024-05-17T13:30:00.250Z,101.52,300,NYSE,F",
  "1715952601000,101.515,200,ARCA,",
  "2024-05-17T13:30:07.999Z,101.49,50,ARCA,I"
]

const recording = (path: string, text: string) => Result.getOrThrow(GatewaySimulator.parseRecording(path, text))

const spyDay = fileURLToPath(
  new URL("../../../../../shared/data/market/lean/Data/equity/usa/tick/spy/20131007_trade.zip", import.meta.url)
)
if (!existsSync(spyDay)) console.log("skipped: 1 test of a recorded day (the recording is not beside the project)")

describe("recorded trades", () => {
  it.effect("are played as they were, live, from history and as bars", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ replay: recording("data/XYZ.csv", lines.join("\n")) })
      assert.strictEqual(new Date(gateway.now()).toISOString(), "2024-05-17T13:29:59.000Z")
      const client = yield* started(gateway.port)
      client.send(97, 1, ...contract("XYZ"), "AllLast", 0, 0)
      yield* answered(client)
      yield* gateway.advance("10 seconds")
      client.send(96, 2, ...contract("XYZ"), 0, "20240517-13:30:00", "", 100, "TRADES", 0, 0, "")
      client.send(20, 3, ...contract("XYZ"), 0, "", "5 secs", "10 S", 0, "TRADES", 2, 0, "")
      client.send(9, 8, 4, ...contract("XYZ"), 0, "", "", "")
      yield* answered(client)
      assert.deepStrictEqual(
        client.of(99).map((fields) => fields.slice(3).join("|")),
        [
          "1715952600|101.5|100|0|ARCA|",
          "1715952600|101.52|300|0|NYSE|F",
          "1715952601|101.515|200|0|ARCA|",
          "1715952607|101.49|50|0|ARCA|I"
        ]
      )
      const [, , count, ...past] = client.of(98)[0] ?? []
      assert.strictEqual(count, "4")
      assert.deepStrictEqual(past.slice(0, 6), ["1715952600", "0", "101.5", "100", "ARCA", ""])
      const bars = client.of(17)[0]?.slice(5) ?? []
      assert.deepStrictEqual(bars.slice(0, 6), ["1715952600", "101.5", "101.52", "101.5", "101.515", "600"])
      assert.strictEqual(client.of(10)[0]?.[2], "XYZ")
      assert.deepStrictEqual(errorsOf(client), [])
    })
  )

  it.effect("of LEAN are read by the names of their files; what it calls suspicious is left out", () =>
    Effect.gen(function* () {
      const text = "34200000,1686500,100,P,20002000,0\n34200001,1686600,100,Q,2000,1\n34200500,1686650,200,Z,2000,0\n"
      const gateway = yield* GatewaySimulator.make({ replay: recording("tick/spy/20131007_trade.csv", text) })
      const open = Date.UTC(2013, 9, 7, 13, 30)
      const { trades } = gateway.truth("SPY", open - 60_000, open + 60_000)
      assert.deepStrictEqual(
        trades.map(({ at, exchange, price, size }) => [at - open, price, size, exchange]),
        [
          [0, 168.65, 100, "P"],
          [500, 168.665, 200, "Z"]
        ]
      )
      assert.isFalse(gateway.names().some((name) => name.startsWith("SPY  ")))
    })
  )

  it("that cannot be read say which line", () => {
    const detail = (text: string) => {
      const parsed = GatewaySimulator.parseRecording("X.csv", text)
      return Result.isFailure(parsed) ? parsed.failure.detail : "it was read"
    }
    assert.match(detail("a,b\n"), /first line/)
    assert.match(detail("time,price,size\n"), /no trades/)
    assert.match(detail("time,price,size\n1,1.5,100\n2,x,100"), /line 3/)
    assert.match(detail("time,price,size\n2,1.5,100\n1,1.5,100"), /line 3 is older/)
    assert.match(detail("time,price,size\n2,1.5,0"), /line 2/)
  })

  it.effect.skipIf(!existsSync(spyDay))("of a whole day come to its client, each of the 250,601", () =>
    Effect.gen(function* () {
      const { bytes } = yield* unpack(readFileSync(spyDay), null)
      const replay = recording(spyDay, Buffer.from(bytes).toString())
      assert.strictEqual(replay.times.length, 250_601)
      const gateway = yield* GatewaySimulator.make({ replay })
      const client = yield* started(gateway.port)
      client.send(97, 1, ...contract("SPY"), "AllLast", 0, 0)
      yield* answered(client)
      yield* gateway.advance("17 hours")
      yield* answered(client)
      const ticks = client.of(99)
      assert.strictEqual(ticks.length, 250_601)
      const [day] = gateway.bars("SPY", Date.UTC(2013, 9, 7), Date.UTC(2013, 9, 8, 3), 86_400_000)
      assert.strictEqual(
        day?.volume,
        replay.sizes.reduce((sum, size) => sum + size, 0)
      )
    })
  )
})
