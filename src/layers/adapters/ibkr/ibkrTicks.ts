/**
 * Single trades and quotes of the past: pages of a thousand from an instant on, each with the whole of its last second.
 *
 * The quotes are a dataset of their own, `BID_ASK`: every change of the book's top, where a stream of market data shows what holds a few times a
 * second, so that an answer of one says nothing about the rows of the other.
 */
import { Effect } from "effect"
import { isTickKind, type TickKind, type TickSeries } from "../../../domain/records/TickSeries.ts"
import { canonical } from "../../../domain/SeriesKey.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import {
  type SeriesQuery,
  Unsupported,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../../services/Adapter.ts"
import type { TickHistory } from "../../../services/TickHistory.ts"
import { barsSeriesOf } from "./barsSeries.ts"
import { decodeTicks } from "./decodeTicks.ts"
import { type TicksShown, ticksParams, ticksRequest } from "./ticksRequest.ts"

/** Raised when the same bytes may give other rows than before. */
const ticksDecoderVersion = 2

/** Milliseconds after which the history has what has happened. */
export const ticksDelay = 2_000

const shown: { readonly [K in TickKind]: TicksShown } = { trade: "TRADES", quote: "BID_ASK" }
const datasets: { readonly [K in TickKind]: string | null } = { trade: null, quote: "BID_ASK" }

export const decodePage = Effect.fnUntraced(function* (
  vendor: string,
  payload: Uint8Array,
  request: Pick<VendorRequest, "kind" | "params">,
  range: TimeRange
) {
  const params = ticksParams(request)
  if (params === null) {
    const reason = new Unsupported({ message: "no request for single trades or quotes" })
    return yield* new VendorError({ vendor, reason })
  }
  return yield* Effect.mapError(decodeTicks(payload, params, range), (reason) => new VendorError({ vendor, reason }))
})

export const ibkrTicks = (vendor: string): TickHistory => {
  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })
  const unsupported = (message: string) => because(new Unsupported({ message }))

  const named = Effect.fnUntraced(function* ({ currency, dataset, kind, price, symbol, ...query }: SeriesQuery) {
    if (!isTickKind(kind)) return yield* unsupported(`it has no history of single ${kind} rows`)
    if (query.timeframe !== null) return yield* unsupported("only bars have a timeframe")
    if (query.session !== undefined && query.session !== "all")
      return yield* unsupported(`its ${kind}s are of all hours`)
    if (query.adjustment !== undefined && query.adjustment !== "raw") {
      return yield* unsupported(`its ${kind}s are as they were, adjusted for nothing`)
    }
    if (dataset !== undefined && dataset !== datasets[kind]) {
      const has = datasets[kind] ?? "none, and the exchange is part of the symbol: AAPL@NASDAQ"
      return yield* unsupported(`its ${kind}s have no dataset ${dataset}; they have ${has}`)
    }
    const bars = yield* barsSeriesOf(vendor, {
      symbol,
      kind: "bar",
      timeframe: "5s",
      session: "all",
      ...(currency === undefined ? {} : { currency })
    }).pipe(Effect.fromResult, Effect.mapError(because))
    if (kind === "trade" && bars.name.secType === "CASH") return yield* unsupported("IB has no trades of currencies")
    if (price !== undefined && price !== bars.key.price) {
      return yield* unsupported(`its ${kind}s have prices of their own, and are no series of ${price}`)
    }
    const key: TickSeries = { ...bars.key, kind, timeframe: null, adjustment: "raw", dataset: datasets[kind] }
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
        return yield* unsupported(
          `it has no history of ${canonical(series)}; that of its ${kind}s is ${canonical(key)}`
        )
      }
      return ticksRequest(symbol, shown[kind], contract, range)
    }),
    decode: (_, payload, request, range) => decodePage(vendor, payload, request, range),
    decoderVersion: ticksDecoderVersion
  }
}
