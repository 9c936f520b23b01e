/** Single trades of the past: pages of a thousand from an instant on, each with the whole of its last second. */
import { Effect } from "effect"
import type { TickSeries } from "../../../domain/records/TickSeries.ts"
import { canonical } from "../../../domain/SeriesKey.ts"
import { type SeriesQuery, Unsupported, VendorError, type VendorErrorReason } from "../../../services/Adapter.ts"
import type { TickHistory } from "../../../services/TickHistory.ts"
import { type BarsSeries, barsSeriesOf } from "./barsSeries.ts"
import { decodeTicks } from "./decodeTicks.ts"
import { ticksParams, ticksRequest } from "./ticksRequest.ts"

/** Raised when the same bytes may give other rows than before. */
export const ticksDecoderVersion = 2

/** Milliseconds after which the history has what has happened. */
export const ticksDelay = 2_000

export const ibkrTicks = (vendor: string): TickHistory => {
  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })
  const unsupported = (message: string) => because(new Unsupported({ message }))

  const named = Effect.fnUntraced(function* ({ kind, symbol, ...query }: SeriesQuery) {
    if (kind !== "trade") return yield* unsupported(`it has no history of single ${kind}s`)
    if (query.timeframe !== null) return yield* unsupported("only bars have a timeframe")
    if (query.session !== undefined && query.session !== "all") return yield* unsupported("its trades are of all hours")
    if (query.adjustment !== undefined && query.adjustment !== "raw") {
      return yield* unsupported("its trades are as they were, adjusted for nothing")
    }
    const { currency, dataset, price } = query
    const bars: BarsSeries = yield* barsSeriesOf(vendor, {
      symbol,
      kind: "bar",
      timeframe: "5s",
      session: "all",
      ...(currency === undefined ? {} : { currency }),
      ...(dataset === undefined ? {} : { dataset }),
      ...(price === undefined ? {} : { price })
    }).pipe(Effect.fromResult, Effect.mapError(because))
    if (bars.name.secType === "CASH") return yield* unsupported("IB has no trades of currencies")
    if (bars.key.price !== "trade") return yield* unsupported("a trade has its own price")
    const key: TickSeries = { ...bars.key, kind, timeframe: null, adjustment: "raw" }
    return { key, contract: bars.name.contract }
  })

  return {
    delay: ticksDelay,
    earliest: null,
    series: (query) => Effect.map(named(query), ({ key }) => key),
    request: Effect.fnUntraced(function* (series, range) {
      const { currency, kind, symbol } = series
      const { contract, key } = yield* named({
        symbol,
        kind,
        timeframe: null,
        ...(currency === null ? {} : { currency })
      })
      // A key may come from anywhere; only one that a query gives is asked for.
      if (canonical(key) !== canonical(series)) {
        return yield* unsupported(`it has no history of ${canonical(series)}; that of its trades is ${canonical(key)}`)
      }
      return ticksRequest(symbol, contract, range)
    }),
    decode: Effect.fnUntraced(function* (_, payload, request, range) {
      const params = ticksParams(request)
      if (params === null) return yield* unsupported("no request for single trades")
      return yield* Effect.mapError(decodeTicks(payload, params, range), because)
    }),
    decoderVersion: ticksDecoderVersion
  }
}
