/**
 * The history of single trades and quotes of the seeded vendor: pages of so many rows, each of which ends with an instant, and a log of them.
 * Quotes of the history are a dataset of their own, `ticks`: what a stream shows of a book is what was sent of it.
 */
import { Effect, Option, Schema } from "effect"
import { Quote } from "../../domain/records/Quote.ts"
import { isTickKind, type Tick, type TickKind, type TickSeries } from "../../domain/records/TickSeries.ts"
import { Trade } from "../../domain/records/Trade.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import { EpochMillis, type TimeRange } from "../../domain/TimeRange.ts"
import {
  Malformed,
  NotEntitled,
  NotFound,
  Unsupported,
  VendorError,
  type VendorErrorReason,
  type VendorRequest
} from "../../services/Adapter.ts"
import type { TickHistory } from "../../services/TickHistory.ts"
import { type ModelTape, printsIn, quotesIn } from "./ModelTape.ts"

const Asked = Schema.Struct({
  symbol: Schema.String,
  kind: Schema.Literals(["trade", "quote"]),
  start: EpochMillis,
  end: EpochMillis,
  /** The number of the first row of the page among those of the range. */
  from: Schema.Int
})
/** A page that was asked for. */
export interface ModelPage extends Schema.Schema.Type<typeof Asked> {}

const decodeAsked = Schema.decodeUnknownOption(Asked)
const askedOf = (params: unknown): ModelPage | null => Option.getOrNull(decodeAsked(params))

const page = { start: EpochMillis, end: EpochMillis, next: Schema.NullOr(Schema.Int) }
const Page = Schema.fromJsonString(
  Schema.toCodecJson(Schema.Struct({ ...page, trades: Schema.Array(Trade), quotes: Schema.Array(Quote) }))
)
const encodePage = Schema.encodeSync(Page)
const decodePage = Schema.decodeEffect(Page)

const dataset = "ticks"
const requestKind = "ticks"
const nanosPerMilli = 1_000_000n
const millisOf = ({ tsNs }: Tick): EpochMillis => Number(tsNs / nanosPerMilli)

export interface ModelTicksOptions {
  /** The history has what is so many milliseconds old. */
  readonly historyDelay?: number
  /** Rows in one page of history. */
  readonly pageRows?: number
  /** How long a page takes, in milliseconds. */
  readonly historyLatency?: number
  /** What the history says of a page; null: it has it. */
  readonly historyTrouble?: (page: ModelPage) => VendorErrorReason | null
}

interface ModelTicksDeps {
  readonly vendor: string
  readonly tape: ModelTape
  readonly symbols: ReadonlyArray<string>
  readonly forbidden: ReadonlyArray<string>
  readonly listedAt: EpochMillis | null
  readonly series: (symbol: string, timeframe: Timeframe) => SeriesKey
}

export interface ModelTicks {
  readonly history: TickHistory
  /** The answer to a request for a page, as its bytes are; null when it is none of these. */
  readonly answer: (request: VendorRequest, now: EpochMillis) => Uint8Array | VendorErrorReason | null
  /** How long a page takes, in milliseconds. */
  readonly latency: number
  /** Every page that was asked for, in order. */
  readonly asked: ReadonlyArray<ModelPage>
  readonly seriesOf: (symbol: string, kind: TickKind) => TickSeries
  /** All rows of a series whose millisecond is in the range. */
  readonly truth: (series: TickSeries, range: TimeRange) => ReadonlyArray<Tick>
}

export const make = (
  { forbidden, listedAt, series, symbols, tape, vendor }: ModelTicksDeps,
  { historyDelay = 0, historyLatency = 0, historyTrouble, pageRows = 500 }: ModelTicksOptions
): ModelTicks => {
  const asked: Array<ModelPage> = []
  const fail = (reason: VendorErrorReason) => Effect.fail(new VendorError({ vendor, reason }))
  const rowsIn = (kind: TickKind, symbol: string, range: TimeRange): ReadonlyArray<Tick> =>
    kind === "trade" ? printsIn(tape, symbol, range) : quotesIn(tape, symbol, range)
  const seriesOf: ModelTicks["seriesOf"] = (symbol, kind) => ({
    ...series(symbol, "1m"),
    kind,
    timeframe: null,
    dataset: kind === "trade" ? null : dataset
  })
  const requestOf = ({ end, from, kind, start, symbol }: ModelPage): VendorRequest => ({
    kind: requestKind,
    method: "GET",
    params: { symbol, kind, start, end, from },
    body: null,
    weight: kind === "quote" ? 2 : 1,
    keys: { symbol }
  })

  return {
    asked,
    latency: historyLatency,
    seriesOf,
    truth: ({ kind, symbol }, range) => rowsIn(kind, symbol, range),

    answer: (request, now) => {
      const wanted = request.kind === requestKind ? askedOf(request.params) : null
      if (wanted === null) return null
      asked.push(wanted)
      const { end, from, kind, start, symbol } = wanted
      const trouble = historyTrouble?.(wanted) ?? null
      if (trouble !== null) return trouble
      if (forbidden.includes(symbol)) return new NotEntitled({ message: `your account may not have ${symbol}` })
      const known = Math.min(end, now - historyDelay)
      const all = known > start ? rowsIn(kind, symbol, { start, end: known }) : []
      // A page ends with an instant.
      let until = Math.min(from + pageRows, all.length)
      const last = all[until - 1]
      while (last !== undefined && until < all.length && millisOf(all[until] ?? last) === millisOf(last)) until++
      const next = until < all.length ? until : null
      const before = all[from - 1]
      const rows = all.slice(from, until)
      return new TextEncoder().encode(
        encodePage({
          // All rows are of the kind.
          trades: kind === "trade" ? (rows as ReadonlyArray<Trade>) : [],
          quotes: kind === "quote" ? (rows as ReadonlyArray<Quote>) : [],
          start: before === undefined ? start : millisOf(before) + 1,
          end: next === null || last === undefined ? known : millisOf(last) + 1,
          next
        })
      )
    },

    history: {
      delay: historyDelay,
      earliest: listedAt,
      series: ({ kind, symbol }) => {
        const name = symbol.trim().toUpperCase()
        if (!isTickKind(kind)) return fail(new Unsupported({ message: "only trades and quotes are ticks" }))
        return symbols.includes(name) || forbidden.includes(name)
          ? Effect.succeed(seriesOf(name, kind))
          : fail(new NotFound({ message: `no symbol ${name}` }))
      },
      request: (key, range) =>
        canonical(seriesOf(key.symbol, key.kind)) === canonical(key)
          ? Effect.succeed(
              requestOf({ symbol: key.symbol, kind: key.kind, start: range.start, end: range.end, from: 0 })
            )
          : fail(new Unsupported({ message: `no history of ${canonical(key)}` })),
      decode: (_, payload, { params }, range) =>
        decodePage(new TextDecoder().decode(payload)).pipe(
          Effect.mapError(
            ({ message }) => new VendorError({ vendor, reason: new Malformed({ position: null, message }) })
          ),
          Effect.map(({ next, quotes, trades, ...page }) => {
            const start = Math.max(page.start, range.start)
            const end = Math.min(page.end, range.end)
            const rows: ReadonlyArray<Tick> = trades.length > 0 ? trades : quotes
            const inside = rows.flatMap((row, position) =>
              millisOf(row) >= start && millisOf(row) < end ? [{ row, position }] : []
            )
            const wanted = askedOf(params)
            return {
              rows: inside.map(({ row }) => row),
              positions: inside.map(({ position }) => position),
              proves: end > start ? { start, end } : null,
              next: next === null || wanted === null ? null : requestOf({ ...wanted, from: next })
            }
          })
        ),
      decoderVersion: 1
    }
  }
}
