/**
 * The streams of another vendor, with rows that are made up while that one does not send: for demonstrations that must go on.
 *
 * It is a vendor of its own, so that nothing that is made up can get among what is true: its rows belong to no series, are never stored,
 * repaired or answered from, and its gaps are never filled. Synthetic are quotes and trades alone; books and accounts are the vendor's or are
 * told to be missing. Each synthetic row has the venue SYNTHETIC, and `DataType` is `simulated` before the first of them.
 */
import { Effect } from "effect"
import type { StreamKey } from "../../../domain/streams/StreamKey.ts"
import type { StreamKind } from "../../../domain/streams/StreamKind.ts"
import { unlimited } from "../../../domain/VendorLimits.ts"
import { type Adapter, Unsupported, VendorError } from "../../../services/Adapter.ts"
import type { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import type { StreamCapability } from "../../../services/StreamCapability.ts"
import type { FallbackVendor } from "./FallbackVendor.ts"
import { fallbackStream } from "./fallbackStream.ts"

const kinds: ReadonlyArray<StreamKind> = ["quotes", "trades", "depth", "portfolio", "account", "pnl"]

/** The vendor that it stands in for is looked up when it is needed: it may be registered later, and anew. */
export const make = (vendor: FallbackVendor, registry: AdapterRegistry["Service"]): Adapter => {
  const { description, name, of } = vendor
  let lateness = 0
  const refused = (message: string) => new VendorError({ vendor: name, reason: new Unsupported({ message }) })
  const source = Effect.gen(function* () {
    const found = yield* Effect.mapError(registry.streamer(of), ({ message }) => refused(message))
    if (found.type === "fallback") return yield* refused(`${of} is a fallback itself; name the vendor behind it`)
    lateness = found.stream.lateness
    return found.stream
  })
  const other = Effect.mapError(registry.resolve(of), ({ message }) => refused(message))
  const real = (key: StreamKey): StreamKey => ({ ...key, vendor: of })

  const stream: StreamCapability = {
    kinds,
    timeframes: [],
    // Known when a key is, and asked for by nobody before.
    get lateness() {
      return lateness
    },
    key: Effect.fnUntraced(function* (query) {
      const { key } = yield* source
      return { ...(yield* key(query)), vendor: name }
    }),
    open: Effect.fn("Fallback.open")(function* (key, sink) {
      yield* fallbackStream(yield* source, real(key), vendor, sink)
    }),
    silence: () => null,
    history: () => null,
    series: () => null
  }

  return {
    name,
    type: "fallback",
    description,
    account: name,
    limits: unlimited,
    stream,
    symbols: Effect.flatMap(other, ({ symbols }) => symbols),
    ping: Effect.flatMap(other, ({ ping }) => ping)
  }
}
