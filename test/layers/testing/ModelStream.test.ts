import { Clock, Effect, Layer } from "effect"
import type { ModelFault, ModelStreamOptions } from "../../../src/layers/testing/ModelStream.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import type { Adapter } from "../../../src/services/Adapter.ts"
import type { StreamCapability } from "../../../src/services/StreamCapability.ts"
import { suite } from "../../services/StreamCapability.contract.ts"
import { pass } from "../streams/support.ts"

const rigOf = (kind: ModelFault["kind"], options: ModelStreamOptions = {}) => {
  const faults: Array<ModelFault> = []
  const model = ModelVendor.make({ stream: { ...options, faults } })
  const { adapter } = model
  const { stream } = adapter
  const streaming: Adapter & { readonly stream: StreamCapability } = { ...adapter, stream: stream ?? ({} as never) }
  return {
    adapter: Effect.succeed(streaming),
    queries: [
      { symbol: "ALPHA", kind: "quotes" as const },
      { symbol: "ALPHA", kind: "trades" as const },
      { symbol: "ALPHA", kind: "depth" as const },
      { symbol: "ALPHA", kind: "bars" as const, timeframe: "5s" as const },
      { symbol: "ALPHA", kind: "news" as const },
      { symbol: "SIM1000001", kind: "portfolio" as const },
      { symbol: "default", kind: "account" as const },
      { symbol: "default", kind: "pnl" as const }
    ],
    unknown: { symbol: "NOBODY", kind: "trades" as const },
    pass: (millis: number) => pass(millis),
    breakFor: (millis: number) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        faults.push({ kind, start: now + 1_000, end: now + 1_000 + millis })
        yield* pass(millis + 1_000)
      }),
    running: Effect.sync(() => model.stream?.running() ?? 0),
    layer: Layer.empty
  }
}

suite("model vendor that ends its streams", () => rigOf("disconnect"))
suite("model vendor that mends its connection, stamps seconds and pages", () =>
  rigOf("gap", { numbered: false, resolution: 1_000, rate: 5, pageRows: 3, historyDelay: 2_000 }))
suite("model vendor that repeats itself and is late", () => rigOf("gap", { duplicates: 0.3, late: 0.3, lateness: 900 }))
