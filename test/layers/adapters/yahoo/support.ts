/** Charts as Yahoo writes them, made by hand, and what they decode to. */
import { Effect, Result } from "effect"
import type { Bar } from "../../../../src/domain/Bar.ts"
import type { Adjustment, SeriesKey, SessionScope } from "../../../../src/domain/SeriesKey.ts"
import type { TimeRange } from "../../../../src/domain/TimeRange.ts"
import { chartRequest, paramsOf } from "../../../../src/layers/adapters/yahoo/ChartRequest.ts"
import { type ChartFault, type DecodedChart, decodeChart } from "../../../../src/layers/adapters/yahoo/decodeChart.ts"
import type { ChartTimeframe } from "../../../../src/layers/adapters/yahoo/intervals.ts"
import * as YahooAdapter from "../../../../src/layers/adapters/yahoo/YahooAdapter.ts"
import { resolveVendor, type YahooVendorSpec } from "../../../../src/layers/adapters/yahoo/YahooVendor.ts"
import type { Adapter } from "../../../../src/services/Adapter.ts"

/** The adapter of a vendor at a server. */
export const adapterOf = Effect.fnUntraced(function* (host: string, spec: Partial<YahooVendorSpec> = {}) {
  const vendor = yield* Effect.fromResult(resolveVendor("yahoo", { adapter: "yahoo", host, ...spec }, 1 << 26)).pipe(
    Effect.orDie
  )
  const adapter: Adapter = yield* YahooAdapter.make(vendor)
  const { fetch } = adapter
  return fetch === undefined ? yield* Effect.die("it cannot fetch") : { ...adapter, fetch }
})

/** A bar as text. */
export const line = ({ close, high, low, open, ts, volume }: Bar) =>
  `${new Date(ts).toISOString()} ${open} ${high} ${low} ${close} ${volume}`

export const utc = (text: string): number => Date.parse(text)
export const between = (start: string, end: string): TimeRange => ({ start: utc(start), end: utc(end) })
export const stampsOf = (bars: ReadonlyArray<{ readonly ts: number }>): ReadonlyArray<string> =>
  bars.map(({ ts }) => new Date(ts).toISOString())

export interface Asked {
  readonly symbol?: string
  readonly timeframe: ChartTimeframe
  readonly adjustment?: Adjustment
  readonly session?: SessionScope
  readonly currency?: string | null
  readonly range: TimeRange
}

export const seriesOf = ({ adjustment, currency, session, symbol, timeframe }: Asked) =>
  ({
    vendor: "yahoo",
    dataset: null,
    symbol: symbol ?? "AAPL",
    kind: "bar",
    timeframe,
    price: "trade",
    session: session ?? "regular",
    currency: currency ?? null,
    adjustment: adjustment ?? "splits"
  }) satisfies SeriesKey

/** What a body decodes to when it answers this question. */
export const decodeBody = (body: string | Uint8Array, asked: Asked): Effect.Effect<DecodedChart, ChartFault> => {
  const params = paramsOf(chartRequest(seriesOf(asked), asked.range))
  if (params === null) return Effect.die(new Error("the request does not read as one"))
  return decodeChart(typeof body === "string" ? new TextEncoder().encode(body) : body, params, asked.range)
}

/** As {@link decodeBody}, for what must fail: the message. */
export const faultOf = (body: string | Uint8Array, asked: Asked): Effect.Effect<string> =>
  Effect.map(Effect.result(decodeBody(body, asked)), (result) =>
    Result.isFailure(result) ? `${result.failure._tag}: ${result.failure.message}` : "decoded"
  )

type Values = ReadonlyArray<number | null>

export interface ChartParts {
  /** ISO instants, or epoch seconds. */
  readonly timestamp?: ReadonlyArray<string | number>
  readonly open?: Values
  readonly high?: Values
  readonly low?: Values
  readonly close?: Values
  readonly volume?: Values
  readonly adjclose?: Values
  readonly meta?: Readonly<Record<string, unknown>>
  readonly events?: Readonly<Record<string, unknown>>
}

export const seconds = (stamp: string | number): number => (typeof stamp === "number" ? stamp : utc(stamp) / 1000)

/** A chart of New York; prices that are not given follow from `close`. */
export const chart = (parts: ChartParts): string => {
  const { close = [], events, meta, timestamp } = parts
  const { high = close, low = close, open = close, volume = close.map(() => 100) } = parts
  const quote = { low, close, open, volume, high }
  return JSON.stringify({
    chart: {
      result: [
        {
          meta: {
            currency: "USD",
            symbol: "AAPL",
            exchangeName: "NMS",
            instrumentType: "EQUITY",
            firstTradeDate: 345479400,
            regularMarketTime: utc("2026-11-27T18:00:01Z") / 1000,
            hasPrePostMarketData: true,
            gmtoffset: -18000,
            timezone: "EST",
            exchangeTimezoneName: "America/New_York",
            priceHint: 2,
            dataGranularity: "1d",
            ...meta
          },
          ...(timestamp === undefined ? {} : { timestamp: timestamp.map(seconds) }),
          ...(events === undefined ? {} : { events }),
          indicators: {
            quote: [timestamp === undefined ? {} : quote],
            ...(parts.adjclose === undefined ? {} : { adjclose: [{ adjclose: parts.adjclose }] })
          }
        }
      ],
      error: null
    }
  })
}
