/**
 * A vendor for tests, over a market that follows from a seed: the same requests at the same instants get the same answers in
 * every process.
 *
 * It has what real vendors have: holes, weekends, a first day, bars that change until they are final and corrections after
 * that, limits which it enforces, unknown symbols, symbols that the account may not have, latency, and failures that follow
 * from the seed, the request and the number of the attempt. It keeps a log of every request, and `direct` tells what the whole
 * range would be if it were asked for at once, now. Time is the Clock's, so a TestClock moves it.
 */
import { Clock, Duration, Effect, Option, Schema } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import { bareMetadata, type ResponseMetadata } from "../../domain/Response.ts"
import { Adjustment, type SeriesKey } from "../../domain/SeriesKey.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import { EpochMillis, type TimeRange } from "../../domain/TimeRange.ts"
import { type RequestLimit, unlimited, type VendorLimits } from "../../domain/VendorLimits.ts"
import {
  type Adapter,
  type FetchCapability,
  FirstByte,
  NotEntitled,
  NotFound,
  Rejected,
  Throttled,
  Unavailable,
  Unsupported,
  type VendorAnswer,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../services/Adapter.ts"
import { openEnd } from "../stitching/finality.ts"
import * as ModelFormat from "./ModelFormat.ts"
import * as ModelLookups from "./ModelLookups.ts"
import { barsOf, chance, type ModelMarket } from "./ModelMarket.ts"
import * as ModelStream from "./ModelStream.ts"

/** One request as the vendor saw it. `attempt` counts the same request from 1, `inFlight` those that were under way with it. */
export interface ModelRequest {
  readonly symbol: string
  readonly timeframe: Timeframe.Timeframe
  readonly range: TimeRange
  readonly at: EpochMillis
  readonly attempt: number
  readonly inFlight: number
}

/** What became of a request. `rows` counts those of a whole answer. */
export interface ModelReply extends ModelRequest {
  readonly outcome: "rows" | "empty" | "truncated" | VendorErrorReason["_tag"] | "under way"
  readonly rows: number
}

/** What goes wrong with a request: a refusal in writing or no answer (Unavailable), or a body that breaks off. */
export type Trouble = VendorErrorReason | "truncated"

export interface ModelVendorOptions extends Partial<ModelMarket> {
  /** `model` unless given. */
  readonly name?: string
  readonly account?: string
  readonly symbols?: ReadonlyArray<string>
  /** Symbols that exist and that the account may not have. */
  readonly forbidden?: ReadonlyArray<string>
  /** Over: every timeframe without bounds. `finalityDelay` and `stampsOnGrid` follow from the market. */
  readonly limits?: Partial<Omit<VendorLimits, "finalityDelay" | "stampsOnGrid">>
  /** How long an answer takes, in milliseconds; drawn between the two. */
  readonly latency?: readonly [least: number, most: number]
  /** Share (0 to 1) of attempts that get no answer, that are throttled, and whose body breaks off. */
  readonly unavailable?: number
  readonly throttled?: number
  readonly truncated?: number
  /** Prices of two answers differ by up to this share (0 to 1), as with vendors that compute them anew in floats. */
  readonly wobble?: number
  /** Decides before the shares do; null leaves it to them. */
  readonly trouble?: (request: ModelRequest) => Trouble | null
  /** Told of each request before it is answered. */
  readonly onRequest?: (request: ModelRequest) => Effect.Effect<void>
  /** The price of a request. */
  readonly cost?: number
  readonly decoderVersion?: number
  /** Given: it streams, too. */
  readonly stream?: ModelStream.ModelStreamOptions
}

export interface ModelVendor {
  readonly adapter: Adapter & { readonly fetch: FetchCapability }
  /** The series of a symbol and timeframe; raw unless said otherwise. */
  readonly series: (symbol: string, timeframe: Timeframe.Timeframe, adjustment?: Adjustment) => SeriesKey
  /** Everything that was asked so far, in order. */
  readonly log: Effect.Effect<ReadonlyArray<ModelReply>>
  /** Its live side; null unless it was asked for. */
  readonly stream: ModelStream.ModelStream | null
  /** The whole answer for a range, as it is now or was at `at`: what a client that stored nothing would get. */
  readonly direct: (series: SeriesKey, range: TimeRange, at?: EpochMillis) => Effect.Effect<ReadonlyArray<Bar>>
}

const Params = Schema.Struct({
  symbol: Schema.String,
  timeframe: Timeframe.Timeframe,
  adjustment: Adjustment,
  start: EpochMillis,
  end: EpochMillis
})
const paramsOf = Schema.decodeUnknownOption(Params)

const metadata: ResponseMetadata = { ...bareMetadata, contentType: "text/plain" }

const noBounds: RequestLimit = { maxSpan: null, maxRows: null }
const everyTimeframe: VendorLimits["timeframes"] = Object.fromEntries(
  Timeframe.all.map((timeframe) => [timeframe, noBounds])
)

/** Makes a vendor with a log of its own. */
export const make = (options: ModelVendorOptions = {}): ModelVendor => {
  const name = options.name ?? "model"
  const market: ModelMarket = {
    seed: options.seed ?? 1,
    holes: options.holes ?? 0,
    weekends: options.weekends ?? false,
    calendar: options.calendar ?? null,
    listedAt: options.listedAt ?? null,
    offGrid: options.offGrid ?? 0,
    finalityDelay: options.finalityDelay ?? 0,
    revised: options.revised ?? 0,
    corrections: options.corrections ?? [],
    splits: options.splits ?? []
  }
  const limits: VendorLimits = {
    ...unlimited,
    timeframes: everyTimeframe,
    adjustments: ["raw", "splits", "all"],
    ...options.limits,
    finalityDelay: market.finalityDelay,
    stampsOnGrid: market.offGrid === 0
  }
  const symbols = options.symbols ?? ["ALPHA", "BETA", "GAMMA"]
  const forbidden = options.forbidden ?? []
  const replies: Array<ModelReply> = []
  const attempts = new Map<string, number>()
  let inFlight = 0

  const fail = (reason: VendorErrorReason) => Effect.fail(new VendorError({ vendor: name, reason }))

  /** What the vendor's own rules say against a request. */
  const refusalOf = ({ at, range, symbol, timeframe }: ModelRequest): VendorErrorReason | null => {
    if (forbidden.includes(symbol)) return new NotEntitled({ message: `your account may not have ${symbol}` })
    if (!symbols.includes(symbol)) return new NotFound({ message: `no symbol ${symbol}` })
    const limit = limits.timeframes[timeframe]
    if (limit === undefined) return new Rejected({ message: `no bars of ${timeframe}` })
    if (range.end > openEnd(timeframe, at, market.calendar))
      return new Rejected({ message: "the range ends in the future" })
    if (range.start < (limits.earliest ?? -Infinity)) return new Rejected({ message: "the range begins too early" })
    if (range.start < at - (limit.maxAge ?? Infinity)) return new Rejected({ message: "the range begins too long ago" })
    if (limit.maxSpan !== null && range.end - range.start > limit.maxSpan) {
      return new Rejected({ message: `more than ${limit.maxSpan} ms at once` })
    }
    return null
  }

  const seededTrouble = ({ attempt, range, symbol, timeframe }: ModelRequest): Trouble | null => {
    const draw = chance(market.seed, "trouble", symbol, timeframe, range.start, range.end, attempt)
    const unavailable = options.unavailable ?? 0
    const throttled = unavailable + (options.throttled ?? 0)
    const truncated = throttled + (options.truncated ?? 0)
    if (draw < unavailable) return new Unavailable({ message: "the connection was reset" })
    if (draw < throttled) return new Throttled({ retryAfter: 1_000 })
    return draw < truncated ? "truncated" : null
  }

  const waitOf = ({ attempt, range, symbol }: ModelRequest): number => {
    const [least, most] = options.latency ?? [0, 0]
    return least + Math.floor(chance(market.seed, "latency", symbol, range.start, attempt) * (most - least))
  }

  const shaken = (bars: ReadonlyArray<Bar>, { attempt, range }: ModelRequest): ReadonlyArray<Bar> => {
    const { wobble = 0 } = options
    if (wobble === 0) return bars
    return bars.map((bar) => {
      const factor = 1 + (2 * chance(market.seed, "wobble", bar.ts, range.start, range.end, attempt) - 1) * wobble
      return {
        ...bar,
        open: bar.open * factor,
        high: bar.high * factor,
        low: bar.low * factor,
        close: bar.close * factor
      }
    })
  }

  const reply = Effect.fnUntraced(function* (request: ModelRequest, adjustment: Adjustment) {
    const { range, symbol, timeframe } = request
    const trouble = options.trouble?.(request) ?? refusalOf(request) ?? seededTrouble(request)
    const at = yield* Clock.currentTimeMillis
    if (trouble !== null && trouble !== "truncated") {
      if (trouble._tag === "Unavailable") return { answer: null, outcome: trouble._tag, rows: 0, reason: trouble }
      const message = "message" in trouble ? trouble.message : "slow down"
      const answer: VendorAnswer = { body: ModelFormat.encodeRefusal(message), metadata, refusal: trouble }
      return { answer, outcome: trouble._tag, rows: 0, reason: trouble }
    }
    const bars = shaken(barsOf(market, symbol, timeframe, range, at, adjustment), request)
    const most = limits.timeframes[timeframe]?.maxRows ?? null
    if (most !== null && bars.length > most) {
      const reason = new Rejected({ message: `more than ${most} rows at once` })
      const answer: VendorAnswer = { body: ModelFormat.encodeRefusal(reason.message), metadata, refusal: reason }
      return { answer, outcome: reason._tag, rows: 0, reason }
    }
    const body = ModelFormat.encode(symbol, timeframe, range, bars)
    const answer: VendorAnswer = {
      body: trouble === null ? body : ModelFormat.truncate(body),
      metadata,
      refusal: null
    }
    const outcome: ModelReply["outcome"] = trouble ?? (bars.length === 0 ? "empty" : "rows")
    return { answer, outcome, rows: trouble === null ? bars.length : 0, reason: null }
  })

  const fetch = Effect.fnUntraced(
    function* ({ params }: VendorRequest) {
      const asked = paramsOf(params)
      if (Option.isNone(asked)) return yield* fail(new Rejected({ message: "not a request of this vendor" }))
      const { adjustment, end, start, symbol, timeframe } = asked.value
      const key = `${symbol} ${timeframe} ${start} ${end}`
      const attempt = (attempts.get(key) ?? 0) + 1
      attempts.set(key, attempt)
      const at = yield* Clock.currentTimeMillis
      const request: ModelRequest = { symbol, timeframe, range: { start, end }, at, attempt, inFlight }
      const index = replies.push({ ...request, outcome: "under way", rows: 0 }) - 1
      if (options.onRequest !== undefined) yield* options.onRequest(request)
      yield* Effect.sleep(Duration.millis(waitOf(request)))
      const { answer, outcome, reason, rows } = yield* reply(request, adjustment)
      replies[index] = { ...request, outcome, rows }
      if (answer === null) return yield* fail(reason)
      const firstByte = yield* FirstByte
      firstByte()
      return answer
    },
    (fetching) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          inFlight++
        }),
        () => fetching,
        () =>
          Effect.sync(() => {
            inFlight--
          })
      )
  )

  const series: ModelVendor["series"] = (symbol, timeframe, adjustment = "raw") => ({
    vendor: name,
    dataset: null,
    symbol: symbol.trim().toUpperCase(),
    kind: "bar",
    timeframe,
    price: "trade",
    session: "all",
    currency: null,
    adjustment
  })

  const stream =
    options.stream === undefined
      ? null
      : ModelStream.make(
          { vendor: name, market, symbols, forbidden, series: (symbol, timeframe) => series(symbol, timeframe) },
          options.stream
        )

  const ticks = stream?.ticks ?? null
  const lookups = ModelLookups.make({ vendor: name, market, symbols })

  /** Requests for prints and lookups, beside those for bars. */
  const exchange = Effect.fnUntraced(function* (request: VendorRequest) {
    const now = yield* Clock.currentTimeMillis
    const page = ticks?.answer(request, now) ?? null
    if (page !== null && ticks !== null) yield* Effect.sleep(Duration.millis(ticks.latency))
    const answer = page ?? lookups.answer(request, now)
    if (answer === null) return yield* fetch(request)
    if (answer instanceof Uint8Array) return { body: answer, metadata, refusal: null } satisfies VendorAnswer
    if (answer._tag === "Unavailable") return yield* fail(answer)
    const said = answer._tag === "Throttled" ? "slow down" : answer.message
    return { body: ModelFormat.encodeRefusal(said), metadata, refusal: answer } satisfies VendorAnswer
  })

  const asVendorError = Effect.mapError((reason: VendorErrorReason) => new VendorError({ vendor: name, reason }))

  return {
    series,
    stream,
    log: Effect.sync(() => [...replies]),
    direct: (key, range, at) =>
      Effect.map(Clock.currentTimeMillis, (now) =>
        key.timeframe === null ? [] : barsOf(market, key.symbol, key.timeframe, range, at ?? now, key.adjustment)
      ),
    adapter: {
      name,
      type: "model",
      description: "a seeded vendor over a deterministic market",
      account: options.account ?? name,
      limits,
      symbols: Effect.succeed(symbols),
      ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "a model always answers" }),
      ...(stream === null ? {} : { stream: stream.capability }),
      ...(ticks === null ? {} : { ticks: ticks.history }),
      lookups: lookups.capability,
      fetch: {
        series: (query) =>
          query.kind === "bar" && query.timeframe !== null
            ? Effect.succeed(series(query.symbol, query.timeframe, query.adjustment))
            : fail(new Unsupported({ message: "only bars; state a timeframe" })),
        request: ({ adjustment, symbol, timeframe }, { end, start }) =>
          timeframe === null || !limits.adjustments.includes(adjustment)
            ? fail(new Unsupported({ message: `only bars, adjusted for: ${limits.adjustments.join(", ")}` }))
            : Effect.succeed({
                kind: "bars",
                method: "GET",
                params: { symbol, timeframe, adjustment, start, end },
                body: null,
                weight: 1,
                keys: { symbol }
              }),
        fetch: exchange,
        decode: (payload, { range }) => asVendorError(ModelFormat.decode(payload, range)),
        locate: (payload, position) => asVendorError(ModelFormat.locate(payload, position)),
        cost: () => options.cost ?? 0,
        decoderVersion: options.decoderVersion ?? 1
      }
    }
  }
}
