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
  /** Streams that were opened, and those that are open. */
  readonly opened: () => number
  readonly running: () => number
}

/** `begins`: a stream says that it has begun as soon as it is opened. */
export const pushVendor = (kinds: ReadonlyArray<StreamKind>, name = "bench", begins = true): PushVendor => {
  const sinks = new Map<string, StreamSink>()
  let opened = 0
  return {
    sink: (kind, symbol) => sinks.get(`${kind}/${symbol}`),
    opened: () => opened,
    running: () => sinks.size,
    adapter: {
      name,
      type: "pushing",
      description: "sends what it is told to",
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
          Effect.acquireRelease(
            Effect.sync(() => {
              opened++
              sinks.set(`${kind}/${symbol}`, sink)
              if (begins) sink.event({ _tag: "Started", at: Date.now() })
            }),
            () => Effect.sync(() => sinks.delete(`${kind}/${symbol}`))
          ).pipe(Effect.asVoid),
        silence: () => null,
        history: () => null,
        series: () => null
      }
    }
  }
}
