/**
 * Yahoo Finance, as far as its chart endpoint goes: bars from a minute to a quarter, splits, dividends and capital gains. No crumb
 * and no cookie are needed there. Yahoo's terms allow personal use and forbid passing its data on: this adapter comes with
 * Tapestry, data never does.
 *
 * What is archived is a body as it came. `fetch` decodes it before it calls it an answer, and hands the bars over to the `decode`
 * that follows, so that nothing is decoded twice and a body that cannot be read is never served again.
 */
import { Clock, Duration, Effect, Result, type Schema } from "effect"
import {
  type Adapter,
  type FetchCapability,
  type MakeAdapter,
  Malformed,
  Rejected,
  VendorError,
  type VendorErrorReason
} from "../../../services/Adapter.ts"
import { inMemory, PayloadDrafts } from "../../../services/PayloadDraft.ts"
import { exchange } from "../../http/exchange.ts"
import * as HttpPool from "../../http/HttpPool.ts"
import { defaultPolicy, type HttpPolicy, noCredentials } from "../../http/HttpRequest.ts"
import { reasonOfFailure, vendorAnswer } from "../../http/vendorAnswer.ts"
import { monotonicMillis } from "../../monotonicMillis.ts"
import { hundredthOf } from "./ChartMeta.ts"
import { type ChartParams, chartRequest, chartUrl, paramsOf } from "./ChartRequest.ts"
import { refusalOf } from "./chartError.ts"
import { asChartSeries, seriesKeyOf } from "./chartSeries.ts"
import { type DecodedChart, decodeChart } from "./decodeChart.ts"
import { locateRow } from "./locateRow.ts"
import type { YahooVendor } from "./YahooVendor.ts"
import { yahooLimits } from "./yahooLimits.ts"

/** Raised when the same bytes may give other rows than before. */
export const decoderVersion = 1

/** What is asked to see whether Yahoo answers: an index that has been there all the time. */
const probe: ChartParams = {
  symbol: "^GSPC",
  timeframe: "1d",
  adjustment: "splits",
  session: "regular",
  currency: null,
  start: "2024-01-02T00:00:00.000Z",
  end: "2024-01-03T00:00:00.000Z",
  query: { interval: "1d", period1: 1_704_153_600, period2: 1_704_240_000, includePrePost: false, events: "div" }
}

const rangeOf = ({ end, start }: ChartParams) => ({ start: Date.parse(start), end: Date.parse(end) })

/** What is worth knowing of a chart beside its rows; `archive show` prints it. */
const reportOf = ({ bars, meta, rejected, tally }: DecodedChart): Record<string, Schema.Json> => {
  const unit = meta?.currency === undefined || meta.currency === null ? null : hundredthOf(meta.currency)
  return {
    ...(meta === null
      ? {}
      : {
          currency: meta.currency ?? null,
          ...(unit === null ? {} : { unit: `1/100 ${unit}` }),
          exchange: meta.exchangeName ?? null,
          instrument: meta.instrumentType ?? null,
          zone: meta.exchangeTimezoneName
        }),
    bars: bars.length,
    nullRows: tally.nulls,
    duplicateRows: tally.duplicates,
    rowsOutside: tally.outside,
    liveRows: tally.live,
    rejectedRows: rejected.length
  }
}

/** The adapter of a checked vendor. Its connections are closed with the scope. */
export const make: (vendor: YahooVendor) => MakeAdapter = Effect.fnUntraced(function* (vendor: YahooVendor) {
  const { name } = vendor
  const pool = yield* HttpPool.make
  const because = (reason: VendorErrorReason) => new VendorError({ vendor: name, reason })
  const decoded = new WeakMap<Uint8Array, DecodedChart>()
  const policy: HttpPolicy = {
    ...defaultPolicy,
    connect: Math.min(defaultPolicy.connect, vendor.timeout),
    firstByte: vendor.timeout,
    total: 4 * vendor.timeout,
    maxBytes: vendor.maxBytes
  }

  const paramsFor = (asked: Parameters<typeof paramsOf>[0]) => {
    const params = paramsOf(asked)
    return params === null
      ? Effect.fail(because(new Rejected({ message: "not a request of this adapter" })))
      : Effect.succeed(params)
  }

  const send = (params: ChartParams) =>
    exchange(
      pool,
      {
        method: "GET",
        url: chartUrl(vendor.host, params),
        headers: { accept: "application/json", "user-agent": vendor.userAgent },
        body: null,
        credentials: noCredentials
      },
      policy
    ).pipe(
      // A chart is read before it is called an answer, and none is longer than a few megabytes.
      Effect.provideService(PayloadDrafts, inMemory),
      Effect.mapError((failure) => because(reasonOfFailure(failure)))
    )

  const series: FetchCapability["series"] = Effect.fnUntraced(function* (query) {
    return yield* Effect.mapError(Effect.fromResult(seriesKeyOf(vendor, query)), because)
  })

  const request: FetchCapability["request"] = Effect.fnUntraced(function* (key, range) {
    // A key may come from anywhere; only one that `series` gives is asked for.
    const asked = yield* Effect.mapError(Effect.fromResult(asChartSeries(key)), because)
    return chartRequest(asked, range)
  })

  const fetch: FetchCapability["fetch"] = Effect.fn("YahooAdapter.fetch")(function* (asked) {
    const params = yield* paramsFor(asked)
    const answer = yield* send(params)
    const now = yield* Clock.currentTimeMillis
    const refusal = refusalOf(answer, { now, rest: vendor.rest })
    if (refusal !== null || answer.fault !== null) return vendorAnswer(answer, refusal)
    const { body } = answer
    if (!(body instanceof Uint8Array)) return vendorAnswer(answer, null)
    const read = yield* Effect.result(decodeChart(body, params, rangeOf(params)))
    if (Result.isFailure(read)) return vendorAnswer(answer, read.failure)
    decoded.set(body, read.success)
    return vendorAnswer(answer, null, reportOf(read.success))
  })

  const decode: FetchCapability["decode"] = Effect.fn("YahooAdapter.decode")(function* (payload, decoding) {
    const params = yield* paramsFor(decoding.request)
    const { range } = decoding
    const ready = decoded.get(payload)
    decoded.delete(payload)
    const asked = rangeOf(params)
    if (ready !== undefined && asked.start === range.start && asked.end === range.end) return ready
    return yield* Effect.mapError(decodeChart(payload, params, range), because)
  })

  const locate: FetchCapability["locate"] = Effect.fn("YahooAdapter.locate")(function* (payload, position, decoding) {
    const found = locateRow(payload, position)
    const { symbol } = yield* paramsFor(decoding.request)
    return found === null
      ? yield* because(new Malformed({ position, message: `the chart of ${symbol} has no such row` }))
      : { ...found, label: `${found.label} of the chart of ${symbol}` }
  })

  const ping = Effect.gen(function* () {
    const began = yield* monotonicMillis
    const { body, fault, headers, status } = yield* send(probe)
    const elapsed = Duration.millis((yield* monotonicMillis) - began)
    const now = yield* Clock.currentTimeMillis
    const refusal = refusalOf({ body, headers, status }, { now, rest: vendor.rest })
    const problem = refusal === null ? (fault?.message ?? null) : because(refusal).message
    const detail = `${vendor.host}: ${problem ?? `a chart of ${probe.symbol} (HTTP ${status})`}`
    return { ok: problem === null, elapsed, detail }
  }).pipe(Effect.withSpan("YahooAdapter.ping"))

  return {
    name,
    type: "yahoo",
    description: vendor.description,
    account: vendor.account,
    limits: yahooLimits(vendor),
    fetch: { series, request, fetch, decode, locate, cost: () => 0, decoderVersion },
    // The endpoint lists none.
    symbols: Effect.succeed([]),
    ping
  } satisfies Adapter
})
