import { Context, Effect, Layer, References, Result } from "effect"
import { TestClock } from "effect/testing"
import * as IbkrAdapter from "../../../../src/layers/adapters/ibkr/IbkrAdapter.ts"
import { resolveVendor } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { Adapter } from "../../../../src/services/Adapter.ts"
import type { StreamCapability } from "../../../../src/services/StreamCapability.ts"
import { suite } from "../../../services/StreamCapability.contract.ts"
import { libraryLoaded, passWith } from "./session.ts"

interface Simulated {
  readonly gateway: GatewaySimulator.GatewaySimulator
  readonly adapter: Adapter & { readonly stream: StreamCapability }
}
class Rig extends Context.Service<Rig, Simulated>()("test/IbkrRig") {}

const layer = Layer.effect(
  Rig,
  Effect.gen(function* () {
    const gateway = yield* GatewaySimulator.make({ activity: 2 })
    yield* TestClock.setTime(gateway.now())
    yield* libraryLoaded
    const vendor = Result.getOrThrow(resolveVendor("ibkr", { port: gateway.port }, 1 << 26))
    const adapter = yield* IbkrAdapter.make(vendor)
    if (adapter.stream === undefined) throw new Error("the adapter cannot stream")
    return { gateway, adapter: { ...adapter, stream: adapter.stream } }
  })
).pipe(Layer.orDie, Layer.provide(Layer.succeed(References.MinimumLogLevel, "Fatal")))

const pass = (millis: number) => Rig.use(({ gateway }) => passWith(gateway)(millis))

/** `broken`: what happens to the connection, or behind it, for so long. */
const rigOf = (
  broken: (millis: number) => ReadonlyArray<Parameters<GatewaySimulator.GatewaySimulator["inject"]>[0]>
) => ({
  adapter: Rig.use(({ adapter }) => Effect.succeed(adapter)),
  queries: [
    { symbol: "SPY", kind: "quotes" as const },
    { symbol: "SPY", kind: "trades" as const },
    { symbol: "SPY", kind: "bars" as const, timeframe: "5s" as const },
    { symbol: "SPY", kind: "depth" as const },
    { symbol: "DU1234567", kind: "portfolio" as const },
    { symbol: "DU1234567", kind: "account" as const },
    { symbol: "default", kind: "pnl" as const }
  ],
  unknown: { symbol: "NO:SUCH", kind: "trades" as const },
  pass,
  breakFor: (millis: number) =>
    Rig.use(({ gateway }) =>
      Effect.gen(function* () {
        for (const fault of broken(millis)) yield* gateway.inject(fault)
        yield* pass(millis + 3_000)
      })
    ),
  running: Rig.use(({ gateway }) =>
    Effect.sync(() => {
      const kinds = gateway.clients().flatMap(({ open }) => open.map(({ kind }) => kind))
      // Values of positions belong to the list of them, and that is also a part of profit and loss.
      const profits = kinds.filter((kind) => kind === "pnl").length
      const parts = kinds.filter((kind) => kind === "pnlSingle" || (kind === "positions" && profits > 0)).length
      return kinds.length - parts
    })
  ),
  layer
})

suite("gateway that drops its connections", () =>
  rigOf((forMillis) => [
    { _tag: "Refuse", forMillis },
    { _tag: "Drop", how: "rst" }
  ]))
suite("gateway that loses IB and its data", () =>
  rigOf((forMillis) => [{ _tag: "UpstreamLost", forMillis, restored: 1101, times: 3 }]))
suite("gateway that loses IB and keeps its data", () =>
  rigOf((forMillis) => [{ _tag: "UpstreamLost", forMillis, restored: 1102 }]))
