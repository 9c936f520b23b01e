/** A vendor that sends what it is told to. */
import { Duration, Effect } from "effect"
import type { StreamKind } from "../../src/domain/streams/StreamKind.ts"
import { unlimited } from "../../src/domain/VendorLimits.ts"
import type { Adapter } from "../../src/services/Adapter.ts"
import type { StreamSink } from "../../src/services/StreamCapability.ts"

export interface PushVendor {
  readonly adapter: Adapter
  /** Of the stream, where it is open. */
  readonly sink: (kind: StreamKind, symbol: string) => StreamSink | undefined
}

export const pushVendor = (kinds: ReadonlyArray<StreamKind>): PushVendor => {
  const sinks = new Map<string, StreamSink>()
  const name = "bench"
  return {
    sink: (kind, symbol) => sinks.get(`${kind}/${symbol}`),
    adapter: {
      name,
      type: "bench",
      description: "pushes rows",
      account: name,
      limits: unlimited,
      symbols: Effect.succeed([]),
      ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "" }),
      stream: {
        kinds,
        timeframes: [],
        lateness: 0,
        key: ({ kind, symbol }) => Effect.succeed({ vendor: name, symbol, kind, timeframe: null, params: {} }),
        open: ({ kind, symbol }, sink) =>
          Effect.sync(() => {
            sinks.set(`${kind}/${symbol}`, sink)
            sink.event({ _tag: "Started", at: Date.now() })
          }),
        silence: () => null,
        history: () => null,
        series: () => null
      }
    }
  }
}
