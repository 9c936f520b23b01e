/**
 * A vendor who knows a series under the symbols that it had: what lies before a change is asked for under the old one.
 *
 * The series keeps its present symbol, and with it its rows and coverage; only requests, and the reading of their answers,
 * are about the symbol of their time. A symbol that was given up says so and names its successor.
 */
import { Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import { endOf, periodsOf, type SymbolChange } from "../../domain/SymbolChange.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import {
  type Adapter,
  type FetchCapability,
  NotFound,
  Rejected,
  type SeriesQuery,
  VendorError
} from "../../services/Adapter.ts"

const day = (instant: EpochMillis): string => new Date(instant).toISOString().slice(0, 10)

const queryOf = (series: SeriesKey, symbol: string): SeriesQuery => ({
  symbol,
  kind: series.kind,
  timeframe: series.timeframe,
  session: series.session,
  price: series.price,
  adjustment: series.adjustment,
  ...(series.dataset === null ? {} : { dataset: series.dataset }),
  ...(series.currency === null ? {} : { currency: series.currency })
})

const fetchOf = (vendor: string, inner: FetchCapability, changes: ReadonlyArray<SymbolChange>): FetchCapability => {
  const fail = (reason: NotFound | Rejected) => Effect.fail(new VendorError({ vendor, reason }))
  const periods = (series: SeriesKey) => periodsOf(changes, series.symbol)

  const gone = (symbol: string) => {
    const ended = endOf(changes, symbol)
    if (ended === null) return new NotFound({ message: `no ${symbol} then` })
    return new NotFound({
      message:
        ended.reused === null
          ? `${ended.from} became ${ended.to} on ${day(ended.on)}; ask for ${ended.to}, or for a range that ends by then`
          : `before ${day(ended.reused)} ${ended.from} was another company, ${ended.to} since ${day(ended.on)}; ask for ${ended.to}`
    })
  }

  /** The series as the vendor knew it in a range. */
  const atTheTime = Effect.fnUntraced(function* (series: SeriesKey, range: TimeRange) {
    const known = periods(series)
    if (known.length === 1) return series
    const period = known.find(({ end, start }) => start <= range.start && range.start < end)
    if (period === undefined || range.end > period.end) {
      return yield* fail(
        new Rejected({ message: `${series.symbol} changed its symbol within the range of one request` })
      )
    }
    if (period.symbol === null) return yield* fail(gone(series.symbol))
    return period.symbol === series.symbol ? series : yield* inner.series(queryOf(series, period.symbol))
  })

  const { decodeStream, locateStream } = inner
  return {
    ...inner,
    symbolPeriods: periods,
    request: (series, range) => Effect.flatMap(atTheTime(series, range), (then) => inner.request(then, range)),
    decode: (payload, decoding) =>
      Effect.flatMap(atTheTime(decoding.series, decoding.range), (series) =>
        inner.decode(payload, { ...decoding, series })
      ),
    locate: (payload, position, decoding) =>
      Effect.flatMap(atTheTime(decoding.series, decoding.range), (series) =>
        inner.locate(payload, position, { ...decoding, series })
      ),
    ...(decodeStream === undefined
      ? {}
      : {
          decodeStream: (payload, decoding) =>
            Effect.flatMap(atTheTime(decoding.series, decoding.range), (series) =>
              decodeStream(payload, { ...decoding, series })
            )
        }),
    ...(locateStream === undefined
      ? {}
      : {
          locateStream: (payload, position, decoding) =>
            Effect.flatMap(atTheTime(decoding.series, decoding.range), (series) =>
              locateStream(payload, position, { ...decoding, series })
            )
        })
  }
}

/** The adapter as it is where nothing changed. */
export const withSymbolChanges = (adapter: Adapter, changes: ReadonlyArray<SymbolChange>): Adapter =>
  changes.length === 0 || adapter.fetch === undefined
    ? adapter
    : { ...adapter, fetch: fetchOf(adapter.name, adapter.fetch, changes) }
