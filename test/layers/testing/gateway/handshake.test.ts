import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { RawClient } from "./RawClient.ts"

const withClient = Effect.fnUntraced(function* (client: Promise<RawClient>) {
  return yield* Effect.acquireRelease(
    Effect.promise(() => client),
    (one) => Effect.sync(() => one.close())
  )
})

describe("the handshake", () => {
  it.effect("agrees on the smaller of the two newest versions", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      for (const [said, agreed] of [
        ["v100..193", "193"],
        ["v100..178", "178"],
        ["v100..177", "177"],
        ["v176..220", "193"]
      ] as const) {
        const client = yield* withClient(RawClient.connect(gateway.port))
        client.hello(said)
        yield* Effect.promise(() => client.until((frames) => frames.length === 1))
        const time = "20260410 14:00:00 GMT"
        const payload = `${agreed}\0${time}\0`
        assert.deepStrictEqual(client.received.subarray(4).toString(), payload)
        assert.strictEqual(client.received.readUInt32BE(0), payload.length)
      }
    })
  )

  it.effect("closes on who is too old, too new or speaks something else", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      for (const said of ["v100..175", "v194..200", "hello", ""]) {
        const client = yield* withClient(RawClient.connect(gateway.port))
        client.hello(said)
        yield* Effect.promise(() => client.end())
        assert.strictEqual(client.received.length, 0)
        assert.isFalse(client.reset)
      }
      const other = yield* withClient(RawClient.connect(gateway.port))
      other.raw(Buffer.from("GET / HTTP/1.1\r\n\r\n"))
      yield* Effect.promise(() => other.end())
      assert.strictEqual(gateway.clients().length, 0)
    })
  )

  it.effect("reads what comes a byte at a time as what comes at once", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const client = yield* withClient(RawClient.connect(gateway.port))
      const bytes = Buffer.from("API\0\0\0\0\x09v100..193\0\0\0\x08\x37\x31\0\x32\0\x37\0\0", "latin1")
      for (const byte of bytes) {
        client.raw(Buffer.from([byte]))
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* Effect.promise(() => client.until((frames) => frames.some(([id]) => id === "9")))
      assert.strictEqual(gateway.clients()[0]?.clientId, 7)
    })
  )

  it.effect("tells accounts, the next order's id and the farms, in this order", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make({ accounts: ["DU1", "DU2"] })
      const client = yield* withClient(RawClient.started(gateway.port))
      const told = client.frames().slice(1)
      assert.deepStrictEqual(told.slice(0, 2), [
        ["15", "1", "DU1,DU2"],
        ["9", "1", "1"]
      ])
      assert.deepStrictEqual(
        told.slice(2).map(([, , id, code]) => `${id} ${code}`),
        ["-1 2104", "-1 2104", "-1 2104", "-1 2106", "-1 2158"]
      )
    })
  )

  it.effect("does not serve who has not started, and starts nobody twice", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      const client = yield* withClient(RawClient.connect(gateway.port))
      client.hello("v100..193")
      client.send(49, 1)
      client.send(71, 2, 3, "")
      client.send(71, 2, 4, "")
      client.send(49, 1)
      yield* Effect.promise(() => client.until((frames) => frames.some(([id]) => id === "49")))
      assert.strictEqual(client.of(49).length, 1)
      assert.strictEqual(client.of(4).filter(([, , , code]) => code === "320").length, 1)
      assert.strictEqual(gateway.clients()[0]?.clientId, 3)
    })
  )

  it.effect("sends a second client of one id away with 326", () =>
    Effect.gen(function* () {
      const gateway = yield* GatewaySimulator.make()
      yield* withClient(RawClient.started(gateway.port, "v100..193", 5))
      const second = yield* withClient(RawClient.connect(gateway.port))
      second.hello("v100..193")
      second.send(71, 2, 5, "")
      yield* Effect.promise(() => second.end())
      assert.deepStrictEqual(
        second.frames().map(([id, , reqId, code]) => [id, reqId, code]),
        [
          ["193", undefined, undefined],
          ["4", "-1", "326"]
        ]
      )
      assert.strictEqual(gateway.clients().length, 1)
    })
  )
})
