/** A simulated gateway with its adapter behind MarketStreams, and one time for all of it. */
import { Effect, Layer, References, Result, type Scope } from "effect"
import { TestClock } from "effect/testing"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as JobQueueLive from "../../../../src/layers/jobs/JobQueueLive.ts"
import * as MarketStreamsLive from "../../../../src/layers/streams/MarketStreamsLive.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { Adapter } from "../../../../src/services/Adapter.ts"
import { fresh } from "../../stitching/support.ts"
import { libraryLoaded, passWith } from "./session.ts"

const over = (adapter: Adapter) =>
  MarketStreamsLive.layer({}).pipe(
    Layer.provideMerge(JobQueueLive.layer({ workflows: null })),
    Layer.provideMerge(fresh(adapter))
  )

export interface Rig {
  readonly gateway: GatewaySimulator.GatewaySimulator
  readonly pass: (millis: number, step?: number) => Effect.Effect<void>
}

export const rigged = <E>(
  body: (rig: Rig) => Effect.Effect<void, E, Layer.Success<ReturnType<typeof over>> | Scope.Scope>,
  options: Parameters<typeof GatewaySimulator.make>[0] = {},
  logged: "Fatal" | "Info" = "Fatal"
) =>
  Effect.gen(function* () {
    // It counts messages by the machine's clock, which stands still here.
    const quotas = { ...options.quotas, messagesPerSecond: 1_000_000 }
    const gateway = yield* GatewaySimulator.make({ ...options, quotas })
    yield* TestClock.setTime(gateway.now())
    yield* libraryLoaded
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port }, 1 << 26))
    const adapter = yield* IbkrAdapter.make(vendor)
    yield* Effect.provide(body({ gateway, pass: passWith(gateway) }), over(adapter))
  }).pipe(Effect.provideService(References.MinimumLogLevel, logged))
