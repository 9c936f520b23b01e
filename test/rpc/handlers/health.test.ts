/** System.health and the gauge of the stores, when a store hangs or fails. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Metric } from "effect"
import { RpcTest } from "effect/rpc"
import { TestClock } from "effect/testing"
import * as AdapterRegistryInMemory from "../../../src/layers/registry/AdapterRegistryInMemory.ts"
import { Border } from "../../../src/rpc/contract/Border.ts"
import { SystemRpcs } from "../../../src/rpc/contract/SystemRpcs.ts"
import { ServerInfo } from "../../../src/rpc/handlers/ServerInfo.ts"
import * as SystemHandlers from "../../../src/rpc/handlers/SystemHandlers.ts"
import * as StoreUp from "../../../src/rpc/server/StoreUp.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import { storeUp } from "../../../src/services/Metrics.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"

/** The market store never answers; `asked` tells that it was asked. */
const hanging = (asked: Deferred.Deferred<void>) =>
  Layer.mergeAll(
    Layer.mock(MarketStore, { newestResponse: Effect.andThen(Deferred.succeed(asked, undefined), Effect.never) }),
    Layer.mock(ProvenanceStore, { sessions: () => Effect.succeed([]) })
  )

const detail = "did not answer within 2 seconds"

describe("a store that hangs", () => {
  it.effect("is reported by System.health after two seconds", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const handlers = SystemHandlers.layer.pipe(
        Layer.provide([
          hanging(asked),
          AdapterRegistryInMemory.layer,
          Layer.mock(MarketStreams, { states: Effect.succeed([]) }),
          Layer.succeed(ServerInfo, { product: "test", startedAt: 0 })
        ])
      )
      const client = yield* Effect.provide(
        RpcTest.makeClient(SystemRpcs.middleware(Border)),
        Layer.merge(
          handlers,
          Layer.succeed(Border, (call) => call)
        )
      )
      const asking = yield* Effect.forkChild(client["System.health"](), { startImmediately: true })
      yield* Deferred.await(asked)
      yield* TestClock.adjust("2 seconds")
      const health = yield* Fiber.join(asking)
      assert.isFalse(health.ready)
      assert.deepInclude(health.checks[0], { name: "archive", ok: true })
      assert.deepStrictEqual(health.checks[1], { name: "market store", ok: false, detail })
    }).pipe(Effect.scoped)
  )

  it.effect("takes the gauge down, and is asked again", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      yield* Metric.update(storeUp, 1)
      yield* Effect.provide(StoreUp.watch, hanging(asked))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Metric.value(storeUp)).value, 0)
    }).pipe(Effect.scoped)
  )

  it.effect("or one that breaks does not stop the watching", () =>
    Effect.gen(function* () {
      let asks = 0
      const breaking = Layer.mergeAll(
        Layer.mock(MarketStore, {
          newestResponse: Effect.suspend(() => {
            asks += 1
            return asks === 1 ? Effect.die(new Error("broken")) : Effect.succeed(null)
          })
        }),
        Layer.mock(ProvenanceStore, { sessions: () => Effect.succeed([]) })
      )
      yield* Effect.provide(StoreUp.watch, breaking)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Metric.value(storeUp)).value, 0)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* Metric.value(storeUp)).value, 1)
    }).pipe(Effect.scoped)
  )
})
