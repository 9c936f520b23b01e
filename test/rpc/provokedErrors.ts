/** What makes a real server fail so: one call for each error that a test can provoke without breaking the machine under it. */
import { type Effect, Stream } from "effect"
import type { RpcClientError } from "effect/rpc"
import type { ModelVendorOptions } from "../../src/layers/testing/ModelVendor.ts"
import type { TapestryClient } from "../../src/rpc/client/TapestryClient.ts"
import { Malformed, NotEntitled, NotFound, Rejected, Throttled, Unavailable } from "../../src/services/Adapter.ts"
import type { RaisedError } from "./errorInstances.ts"
import { between, seriesOf, utc } from "./handlers/world.ts"

type Client = TapestryClient["Service"]
export type CallError = RaisedError | RpcClientError.RpcClientError

const range = between("2024-03-04T00:00Z", "2024-03-04T03:00Z")
const message = "as the vendor put it"

/** Symbols whose requests end as their name says. */
const troubles = {
  // Longer than the patience of this world, and soon over: the account rests for it, and all symbols are of one account.
  THROTTLED: new Throttled({ retryAfter: 10 }),
  NOTENTITLED: new NotEntitled({ message }),
  NOTFOUND: new NotFound({ message }),
  REJECTED: new Rejected({ message }),
  MALFORMED: new Malformed({ position: null, message }),
  GONE: new Unavailable({ message })
} as const

const isTrouble = (symbol: string): symbol is keyof typeof troubles => symbol in troubles

export const troubledVendor: ModelVendorOptions = {
  symbols: ["ALPHA", "BETA", "GAMMA", ...Object.keys(troubles)],
  stream: { kinds: ["quotes", "trades", "depth", "bars"] },
  trouble: ({ symbol }) => (isTrouble(symbol) ? troubles[symbol] : null)
}

/** More rows than this world lets one answer have. */
export const maxRows = 6_000

const bars = (client: Client, symbol: string, timeframe: "1m" | "1h" = "1h", of = range) =>
  Stream.runDrain(client["Series.bars"]({ series: seriesOf(symbol, timeframe), range: of }))

export const provoked: { readonly [path: string]: (client: Client) => Effect.Effect<unknown, CallError> } = {
  "StitchingCacheError/RangeIncomplete": (client) =>
    Stream.runDrain(client["Series.bars"]({ series: seriesOf("BETA", "30m"), range, policy: "cacheOnly" })),
  "StitchingCacheError/TooManyRows": (client) => bars(client, "ALPHA", "1m", between("2024-03-04", "2024-03-11")),
  "StitchingCacheError/NoSuchRow": (client) =>
    client["Series.explain"]({ series: seriesOf("ALPHA", "1h"), ts: 8_640_000_000_000_000 }),
  "StitchingCacheError/UnknownSeries": (client) => client["Series.forget"]({ series: seriesOf("ALPHA", "3mo") }),
  "StitchingCacheError/VendorError/Throttled": (client) => bars(client, "THROTTLED"),
  "StitchingCacheError/VendorError/NotEntitled": (client) => bars(client, "NOTENTITLED"),
  "StitchingCacheError/VendorError/NotFound": (client) => bars(client, "NOTFOUND"),
  "StitchingCacheError/VendorError/Rejected": (client) => bars(client, "REJECTED"),
  "StitchingCacheError/VendorError/Malformed": (client) => bars(client, "MALFORMED"),
  "StitchingCacheError/VendorError/Unavailable": (client) => bars(client, "GONE"),
  "StitchingCacheError/VendorError/Unsupported": (client) =>
    client["Series.resolve"]({ vendor: "model", query: { symbol: "ALPHA", kind: "news", timeframe: null } }),
  "StitchingCacheError/AdapterRegistryError/UnknownVendor": (client) =>
    client["Series.resolve"]({ vendor: "modle", query: { symbol: "ALPHA", kind: "bar", timeframe: "1h" } }),
  "StitchingCacheError/AdapterRegistryError/MissingCapability": (client) =>
    client["Series.resolve"]({ vendor: "mute", query: { symbol: "ALPHA", kind: "bar", timeframe: "1h" } }),
  "AdapterRegistryError/UnknownVendor": (client) => client["Vendors.describe"]({ vendor: "modle" }),
  "VendorError/Unavailable": (client) => client["Vendors.ping"]({ vendor: "mute" }),
  "ProvenanceStoreError/RecordNotFound": (client) => client["Archive.session"]({ id: utc("2024-01-01") }),
  "ProvenanceStoreError/PayloadDamaged": (client) =>
    Stream.runDrain(client["Archive.payload"]({ sha256: "ab".repeat(32) })),
  "CalendarError/UnknownCalendar": (client) => Stream.runDrain(client["Calendar.sessions"]({ name: "NYSE", range })),
  "MarketStreamsError/KindNotStreamed": (client) =>
    Stream.runDrain(client["Streams.subscribe"]({ vendor: "model", streams: [{ symbol: "ALPHA", kind: "news" }] })),
  "MarketStreamsError/TooManyStreams": (client) =>
    Stream.runDrain(client["Streams.subscribe"]({ vendor: "model", streams: [] })),
  "MarketStreamsError/VendorError/NotFound": (client) =>
    client["Streams.keys"]({ vendor: "model", streams: [{ symbol: "NOBODY", kind: "trades" }] }),
  "MarketStreamsError/AdapterRegistryError/UnknownVendor": (client) =>
    client["Streams.keys"]({ vendor: "modle", streams: [{ symbol: "ALPHA", kind: "trades" }] }),
  "MarketStreamsError/AdapterRegistryError/MissingCapability": (client) =>
    client["Streams.keys"]({ vendor: "mute", streams: [{ symbol: "ALPHA", kind: "trades" }] }),
  "ContractLookupsError/LookupNotOffered": (client) => client["Contracts.search"]({ vendor: "mute", pattern: "A" }),
  "ContractLookupsError/ExpiryNotListed": (client) =>
    client["Contracts.options"]({ vendor: "model", symbol: "ALPHA", expiry: "20240101" }),
  "ContractLookupsError/TooManyContracts": (client) =>
    client["Contracts.options"]({ vendor: "model", symbol: "ALPHA", maxContracts: 51 }),
  "ContractLookupsError/VendorError/NotFound": (client) =>
    client["Contracts.chain"]({ vendor: "model", symbol: "NOBODY" }),
  "ContractLookupsError/AdapterRegistryError/UnknownVendor": (client) =>
    client["Contracts.first"]({ vendor: "modle", symbol: "ALPHA" }),
  "JobQueueError/UnknownJob": (client) => client["Jobs.get"]({ job: "0b5f3a0e" }),
  "JobQueueError/UnknownJobType": (client) =>
    client["Jobs.enqueue"]({ spec: { key: "a", type: "repaint", payload: null } }),
  "JobQueueError/InvalidJob": (client) =>
    client["Jobs.enqueue"]({ spec: { key: "a", type: "backfill", payload: null } }),
  InternalError: (client) => client["Vendors.ping"]({ vendor: "broken" })
}
