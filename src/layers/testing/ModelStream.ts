/**
 * The live side of the seeded vendor: it sends what its tape has at the instants that the Clock comes to, and goes wrong as it is told.
 *
 * Faults are of the vendor, and hit every stream: `disconnect` ends those that are open and refuses others until it is over; `gap` loses what
 * happens in it, and says so at its beginning and end, as an adapter does that mends its connection itself; `silent` stops those that are open
 * for good, without a word, and nothing comes of those that are opened in it.
 */
import { Clock, Duration, Effect } from "effect"
import type { SeriesKey } from "../../domain/SeriesKey.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { isOfAccount, StreamKind } from "../../domain/streams/StreamKind.ts"
import { millisOf, type StreamRow } from "../../domain/streams/StreamRow.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../domain/TimeRange.ts"
import {
  NotEntitled,
  NotFound,
  Unavailable,
  Unsupported,
  VendorError,
  type VendorErrorReason
} from "../../services/Adapter.ts"
import type { HistoryPage, StreamCapability, StreamSink, UpstreamEvent } from "../../services/StreamCapability.ts"
import { accountMeant } from "../adapters/accountMeant.ts"
import { accountRowsAt, modelAccount } from "./ModelAccount.ts"
import { barsOf, chance, type ModelMarket } from "./ModelMarket.ts"
import { booksIn, headlinesIn, type ModelTape, printsIn, tickersIn, usualLevels } from "./ModelTape.ts"
import * as ModelTicks from "./ModelTicks.ts"

/** What goes wrong with all streams, in a range of the Clock. */
export interface ModelFault extends TimeRange {
  readonly kind: "disconnect" | "gap" | "silent"
}

export interface ModelStreamOptions extends Partial<Omit<ModelTape, "seed">>, ModelTicks.ModelTicksOptions {
  readonly faults?: ReadonlyArray<ModelFault>
  /** All kinds unless given. */
  readonly kinds?: ReadonlyArray<StreamKind>
  /** Share (0 to 1) of rows that are sent twice. */
  readonly duplicates?: number
  /** Share (0 to 1) of rows that come late, and by how many milliseconds at most. */
  readonly late?: number
  readonly lateness?: number
  /** By how many milliseconds all rows come late; the history may have them before. */
  readonly latency?: number
  /** Milliseconds until a stream that was asked for begins. */
  readonly slowStart?: number
  /** Milliseconds without a row after which a stream is taken for broken; null: it never is. */
  readonly silence?: number | null
  /** No history of prints at all. */
  readonly noHistory?: boolean
}

interface ModelStreamDeps {
  readonly vendor: string
  readonly market: ModelMarket
  readonly symbols: ReadonlyArray<string>
  readonly forbidden: ReadonlyArray<string>
  readonly series: (symbol: string, timeframe: Timeframe.Timeframe) => SeriesKey
}

export interface ModelStream {
  readonly capability: StreamCapability
  /** Its history of single trades and quotes; null where it has none. */
  readonly ticks: ModelTicks.ModelTicks | null
  /** All rows of a stream whose millisecond is in the range: what nobody would miss of it. */
  readonly truth: (key: StreamKey, range: TimeRange) => ReadonlyArray<StreamRow>
  /** How often streams were opened, and how many are. */
  readonly opened: () => number
  readonly running: () => number
}

/** What an upstream does at an instant. */
interface Step {
  readonly at: EpochMillis
  readonly rows?: StreamRow
  readonly event?: UpstreamEvent
}

const secondMillis = 1_000

export const make = (
  { forbidden, market, series, symbols, vendor }: ModelStreamDeps,
  options: ModelStreamOptions
): ModelStream => {
  const { faults = [], historyDelay = 0, latency = 0, lateness = 0 } = options
  const tape: ModelTape = {
    seed: market.seed,
    rate: options.rate ?? 2,
    resolution: options.resolution ?? 0.000001,
    numbered: options.numbered ?? true
  }
  let opened = 0
  let running = 0
  const fail = (reason: VendorErrorReason) => Effect.fail(new VendorError({ vendor, reason }))

  const truth: ModelStream["truth"] = ({ kind, params, symbol, timeframe }, range) => {
    if (isOfAccount(kind)) {
      const rows: Array<StreamRow> = []
      for (let second = Math.ceil(range.start / secondMillis); second * secondMillis < range.end; second++) {
        for (const row of accountRowsAt(kind, market.seed, symbols, second * secondMillis)) rows.push(row)
      }
      return rows
    }
    if (kind === "trades") return printsIn(tape, symbol, range)
    if (kind === "quotes") return tickersIn(tape, symbol, range)
    if (kind === "depth") return booksIn(tape, symbol, range, Number(params.rows ?? usualLevels))
    if (kind === "news") return headlinesIn(tape, symbol, range)
    return timeframe === null ? [] : barsOf(market, symbol, timeframe, range, Number.MAX_SAFE_INTEGER)
  }

  /** What becomes known in a second, with when it is sent. */
  const stepsOf = (key: StreamKey, second: number): Array<Step> => {
    const range = { start: second * secondMillis, end: (second + 1) * secondMillis }
    if (key.kind === "bars" && key.timeframe !== null) {
      const length = Timeframe.maxMillis(key.timeframe)
      return barsOf(
        market,
        key.symbol,
        key.timeframe,
        { start: range.start - length, end: range.end - length },
        range.end
      ).map((row) => ({ at: row.ts + length, rows: row }))
    }
    const rows = truth(key, range)
    const steps: Array<Step> = []
    for (const [index, row] of rows.entries()) {
      const draw = (what: string) => chance(market.seed, what, key.symbol, second, index)
      const delay = draw("late") < (options.late ?? 0) ? Math.floor(draw("by") * (lateness + 1)) : 0
      const at = millisOf(row) + latency + delay
      steps.push({ at, rows: row })
      if (draw("twice") < (options.duplicates ?? 0)) steps.push({ at, rows: row })
    }
    return steps
  }

  /** What happens to a stream that was opened at an instant, beside its rows. */
  const troubles = (from: EpochMillis): Array<Step> => {
    const steps: Array<Step> = []
    for (const { end, kind, start } of faults) {
      if (start < from) continue
      if (kind === "disconnect") {
        const cause = new Unavailable({ message: "the connection was closed" })
        steps.push({ at: start, event: { _tag: "Closed", retryable: true, cause } })
      }
      if (kind === "gap") {
        steps.push({ at: start, event: { _tag: "Gap", from: null, reason: "the connection was lost" } })
        steps.push({ at: end, event: { _tag: "Resumed", to: end } })
      }
    }
    return steps
  }

  /** What an account has to say of itself, all of it. */
  const tellWhole = ({ kind }: StreamKey, sink: StreamSink, at: EpochMillis) => {
    if (!isOfAccount(kind)) return
    sink.rows(accountRowsAt(kind, market.seed, symbols, at))
    sink.event({ _tag: "SnapshotComplete" })
  }

  const send = Effect.fnUntraced(function* (key: StreamKey, sink: StreamSink, from: EpochMillis) {
    tellWhole(key, sink, from)
    let waiting: Array<Step> = []
    const lost = (at: EpochMillis): boolean =>
      faults.some(
        ({ end, kind, start }) =>
          (kind === "gap" && start >= from && start <= at && at < end) ||
          (kind === "silent" && start <= at && end > from)
      )
    for (let second = Math.floor(from / secondMillis); ; second++) {
      const steps = stepsOf(key, second).filter(({ rows }) => rows !== undefined && happened(key, rows) >= from)
      const until = (second + 1) * secondMillis
      waiting.push(...steps)
      waiting.push(...troubles(from).filter(({ at }) => second * secondMillis <= at && at < until))
      // What is told of the connection goes before what would have been sent at that instant.
      waiting.sort((a, b) => a.at - b.at || (a.event === undefined ? 1 : 0) - (b.event === undefined ? 1 : 0))
      const due = waiting.filter(({ at }) => at < until)
      waiting = waiting.filter(({ at }) => at >= until)
      for (const { at, event, rows } of due) {
        yield* wait(at)
        if (event !== undefined) sink.event(event)
        if (event?._tag === "Resumed") tellWhole(key, sink, at)
        if (event?._tag === "Closed") return
        if (rows !== undefined && !lost(at)) sink.row(rows)
      }
      yield* wait(until)
    }
  })

  const ticks = ModelTicks.make({ vendor, tape, symbols, forbidden, listedAt: market.listedAt, series }, options)

  return {
    truth,
    ticks: options.noHistory === true ? null : ticks,
    opened: () => opened,
    running: () => running,
    capability: {
      kinds: options.kinds ?? StreamKind.literals,
      timeframes: ["5s", "1m"],
      lateness,
      key: ({ kind, params = {}, symbol, timeframe }) => {
        if (isOfAccount(kind)) {
          return accountMeant(symbol, [modelAccount]).pipe(
            Effect.fromResult,
            Effect.map((account): StreamKey => ({ vendor, symbol: account, kind, timeframe: null, params })),
            Effect.catch(fail)
          )
        }
        const name = symbol.trim().toUpperCase()
        if (!symbols.includes(name) && !forbidden.includes(name)) {
          return fail(new NotFound({ message: `no symbol ${name}` }))
        }
        if (kind === "depth" && !/^([1-9]|[1-5]\d|60)$/.test(params.rows ?? "1")) {
          return fail(new Unsupported({ message: `a book has 1 to 60 rows on each side, not ${params.rows}` }))
        }
        const bars = kind === "bars" ? (timeframe ?? "5s") : null
        return bars !== null && bars !== "5s" && bars !== "1m"
          ? fail(new Unsupported({ message: "bars of 5s and 1m" }))
          : Effect.succeed({ vendor, symbol: name, kind, timeframe: bars, params })
      },
      open: Effect.fnUntraced(function* (key, sink) {
        opened++
        const now = yield* Clock.currentTimeMillis
        if (faults.some(({ end, kind, start }) => kind !== "silent" && start <= now && now < end)) {
          return yield* fail(new Unavailable({ message: "the connection was refused" }))
        }
        if (forbidden.includes(key.symbol)) {
          const cause = new NotEntitled({ message: `your account may not have ${key.symbol}` })
          return sink.event({ _tag: "Closed", retryable: false, cause })
        }
        yield* Effect.acquireRelease(
          Effect.sync(() => {
            running++
          }),
          () =>
            Effect.sync(() => {
              running--
            })
        )
        yield* Effect.gen(function* () {
          yield* Effect.sleep(Duration.millis(options.slowStart ?? 0))
          const at = yield* Clock.currentTimeMillis
          sink.event({ _tag: "Started", at })
          sink.event({ _tag: "DataType", dataType: "simulated" })
          yield* send(key, sink, at)
        }).pipe(Effect.forkScoped)
      }),
      silence: () => options.silence ?? null,
      history: ({ kind, symbol, timeframe }) => {
        const timing = { delay: historyDelay, overlap: Math.max(1, Math.ceil(tape.resolution), latency) }
        if (kind === "bars" && timeframe !== null) {
          return {
            _tag: "series",
            series: series(symbol, timeframe),
            ...timing,
            delay: market.finalityDelay,
            overlap: 0
          }
        }
        if (kind !== "trades" || options.noHistory === true) return null
        return {
          _tag: "requests",
          ...timing,
          request: (range) => ticks.history.request(ticks.seriesOf(symbol, "trade"), range),
          // Rows of a series of trades are trades.
          decode: (payload, request, range) =>
            ticks.history.decode(ticks.seriesOf(symbol, "trade"), payload, request, range) as Effect.Effect<
              HistoryPage,
              VendorError
            >
        }
      },
      series: ({ kind, symbol, timeframe }) =>
        kind === "bars" && timeframe !== null
          ? series(symbol, timeframe)
          : kind === "trades" || kind === "quotes"
            ? {
                ...series(symbol, "1m"),
                kind: kind === "trades" ? "trade" : "quote",
                timeframe: null
              }
            : null
    }
  }
}

/** When what a row is of was over. */
const happened = ({ timeframe }: StreamKey, row: StreamRow): EpochMillis =>
  "ts" in row ? (timeframe === null ? row.ts : Timeframe.periodEnd(timeframe, row.ts)) : millisOf(row)

const wait = Effect.fnUntraced(function* (at: EpochMillis) {
  const now = yield* Clock.currentTimeMillis
  if (at > now) yield* Effect.sleep(Duration.millis(at - now))
})
