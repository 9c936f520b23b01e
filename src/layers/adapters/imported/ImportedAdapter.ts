/** A vendor of which there are imported rows and nothing else: its series can be named and read, and nobody can be asked for more. */
import { Duration, Effect } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { unlimited } from "../../../domain/VendorLimits.ts"
import { type Adapter, type SeriesQuery, Unsupported, VendorError } from "../../../services/Adapter.ts"

const keyOf = (vendor: string, query: SeriesQuery): SeriesKey => {
  const bars = query.kind === "bar"
  return {
    vendor,
    dataset: query.dataset ?? null,
    symbol: query.symbol.trim(),
    kind: query.kind,
    timeframe: bars ? query.timeframe : null,
    price: bars ? (query.price ?? "trade") : "none",
    session: bars ? (query.session ?? "regular") : "all",
    currency: query.currency ?? null,
    adjustment: bars ? (query.adjustment ?? "raw") : "raw"
  }
}

export const make = (name: string): Adapter => {
  const nobody = new VendorError({
    vendor: name,
    reason: new Unsupported({ message: "all there is of it was imported; import what is missing (tapestry ingest)" })
  })
  return {
    name,
    type: "import",
    description: "Rows that were imported",
    account: name,
    limits: {
      ...unlimited,
      timeframes: Object.fromEntries(Timeframe.all.map((timeframe) => [timeframe, { maxSpan: null, maxRows: null }]))
    },
    storedOnly: true,
    fetch: {
      series: (query) => Effect.succeed(keyOf(name, query)),
      request: () => Effect.fail(nobody),
      fetch: () => Effect.fail(nobody),
      decode: () => Effect.fail(nobody),
      locate: () => Effect.fail(nobody),
      cost: () => 0,
      decoderVersion: 1
    },
    symbols: Effect.succeed([]),
    ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "there is nobody to ask" })
  }
}
