import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { answered, contract, started } from "./client.ts"

/** Sockets and servers that are held; timers come and go with the test runner's own. */
const held = (): ReadonlyArray<string> => process.getActiveResourcesInfo().filter((name) => name.startsWith("TCP"))

const turns = Effect.promise(async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
})

describe("the end of its scope", () => {
  it.effect.each([1, 50])("closes every connection and leaves nothing behind, stepped or %s times as fast", (speed) =>
    Effect.gen(function* () {
      yield* turns
      const before = held()
      for (const clock of ["stepped", { speed }] as const) {
        const client = yield* Effect.scoped(
          Effect.gen(function* () {
            const gateway = yield* GatewaySimulator.make({ clock })
            const first = yield* started(gateway.port, 1)
            const second = yield* started(gateway.port, 2)
            for (const one of [first, second]) {
              one.send(1, 11, 1, ...contract("AAPL"), 0, "292", 0, 0, "")
              one.send(97, 2, ...contract("SPY"), "AllLast", 0, 0)
              one.send(10, 5, 3, ...contract("SPY"), 5, 1, "")
              one.send(92, 4, "", "")
              one.send(6, 2, 1, "")
              yield* answered(one)
            }
            yield* gateway.inject({ _tag: "FarmBroken", farm: "usfarm", forMillis: 60_000 })
            yield* gateway.inject({ _tag: "Mute", clientId: 2 })
            yield* gateway.inject({ _tag: "Refuse", forMillis: 60_000 })
            return first
          })
        )
        yield* Effect.promise(() => client.end())
      }
      // A socket is gone some turns after it has said that it is closed.
      for (let tries = 0; tries < 200 && held().length > before.length; tries++) yield* turns
      assert.deepStrictEqual(held().toSorted(), before.toSorted())
    })
  )
})
