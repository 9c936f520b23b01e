/**
 * From the bytes of a chart to bars and corporate actions. Everything it depends on is in its arguments. The bytes are walked
 * once, the arrays of numbers are read one after the other, then rows are made of them with pauses for others to run.
 */
import { Effect, Result } from "effect"
import * as Timeframe from "../../../domain/Timeframe.ts"
import { contains, type TimeRange } from "../../../domain/TimeRange.ts"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import { type DecodedBars, Malformed, Rejected } from "../../../services/Adapter.ts"
import { type ChartBody, chartBody } from "./ChartBody.ts"
import { type ChartMeta, chartMeta, hundredthOf } from "./ChartMeta.ts"
import type { ChartParams } from "./ChartRequest.ts"
import { type ChartColumns, ChartRows, type ChartTally } from "./ChartRows.ts"
import { chartActions, chartEvents, noEvents } from "./chartActions.ts"
import { chartError, saysEmpty } from "./chartError.ts"
import { isChartTimeframe, sameInterval } from "./intervals.ts"
import { mostElements, readNumbers } from "./numbers.ts"
import { TradingHours } from "./TradingHours.ts"

export interface DecodedChart extends DecodedBars {
  /** Null in an error that says there is nothing. */
  readonly meta: ChartMeta | null
  readonly tally: ChartTally
}

export type ChartFault = Malformed | Rejected

/** Rows, and numbers, between two turns of the event loop: two to four milliseconds. */
const rowsPerTurn = 4096

const malformed = (message: string, position: number | null = null) => new Malformed({ position, message })

const noTally: ChartTally = { nulls: 0, duplicates: 0, outside: 0, live: 0 }
const empty = (meta: ChartMeta | null): DecodedChart => ({
  bars: [],
  positions: [],
  rejected: [],
  meta,
  tally: noTally
})

/** Yahoo answers other questions than it was asked without saying so: coarser bars, another symbol. */
const otherQuestion = (meta: ChartMeta, params: ChartParams): ChartFault | null => {
  if (meta.symbol.toUpperCase() !== params.symbol.toUpperCase()) {
    return malformed(`the chart is of ${meta.symbol}, not of ${params.symbol}`)
  }
  if (!sameInterval(params.query.interval, meta.dataGranularity)) {
    return malformed(`the chart has bars of ${meta.dataGranularity}; asked for were ${params.query.interval}`)
  }
  return null
}

/** Without prices nothing need be said of their unit. */
const otherCurrency = (meta: ChartMeta, params: ChartParams, prices: boolean): ChartFault | null => {
  const { currency } = params
  const given = meta.currency ?? null
  if (currency === null || given === currency || (given === null && !prices)) return null
  const whole = given === null ? null : hundredthOf(given)
  const unit = whole === null ? "" : `, hundredths of ${whole}`
  return new Rejected({
    message: `${params.symbol} is quoted in ${given ?? "no stated currency"}${unit}, not in ${currency}; nothing is converted: ask for ${given === null ? "no currency" : `currency ${given}`}`
  })
}

type ColumnName = "open" | "high" | "low" | "close" | "volume" | "adjclose"

const columnsOf = Effect.fnUntraced(function* (body: ChartBody, params: ChartParams) {
  const { bytes } = body.walker
  const slice = body.timestamp
  if (slice === null) {
    if (body.columns.close !== undefined) return yield* malformed("the chart has prices without a timestamp")
    return null
  }
  const buffer = new Float64Array(mostElements(slice.end - slice.start))
  const rows = readNumbers(bytes, slice.start, false, buffer)
  if (rows < 0) return yield* malformed(`timestamp ${-1 - rows} is no number`, -1 - rows)
  const timestamp = buffer.subarray(0, rows)
  const strange = timestamp.findIndex((seconds) => !Number.isSafeInteger(seconds))
  if (strange !== -1) return yield* malformed(`timestamp ${strange} is no whole second`, strange)
  if (rows === 0) return null
  const column = Effect.fnUntraced(function* (name: ColumnName, prices: boolean) {
    const found = body.columns[name]
    if (found === undefined) return null
    const out = new Float64Array(rows)
    const count = readNumbers(bytes, found.start, prices, out)
    if (count < 0 && -1 - count < rows) return yield* malformed(`${name} ${-1 - count} is no number`, -1 - count)
    if (count !== rows) return yield* malformed(`the chart has ${rows} timestamps and another number of ${name}`)
    if (rows >= rowsPerTurn) yield* Effect.yieldNow
    return out
  })
  const price = Effect.fnUntraced(function* (name: ColumnName) {
    return (yield* column(name, true)) ?? (yield* malformed(`the chart has no ${name}`))
  })
  return {
    rows,
    timestamp,
    open: yield* price("open"),
    high: yield* price("high"),
    low: yield* price("low"),
    close: yield* price("close"),
    volume: yield* column("volume", false),
    adjclose: params.adjustment === "all" ? yield* price("adjclose") : null
  } satisfies ChartColumns
})

/** Futures and indices may be at or below zero; a share that costs nothing has no price. */
const mayBeNegative = new Set(["FUTURE", "INDEX"])

/** A payload without a chart in it, when it is an answer all the same. */
const withoutChart = (payload: Uint8Array, problem: string): Effect.Effect<DecodedChart, ChartFault> => {
  const error = chartError(payload)
  if (error === null) return Effect.fail(malformed(problem))
  return saysEmpty(error) ? Effect.succeed(empty(null)) : Effect.fail(malformed(error.description))
}

/** Looking a zone up and finding its offsets costs more than reading a small chart. */
const clocks = new Map<string, ZoneClock.ZoneClock>()

const clockOf = (zone: string): ZoneClock.ZoneClock | null => {
  const known = clocks.get(zone)
  if (known !== undefined) return known
  const clock = ZoneClock.make(zone)
  if (clock !== null) clocks.set(zone, clock)
  return clock
}

export const decodeChart = Effect.fnUntraced(function* (
  payload: Uint8Array,
  params: ChartParams,
  range: TimeRange
): Effect.fn.Return<DecodedChart, ChartFault> {
  const { adjustment, session, timeframe } = params
  if (!isChartTimeframe(timeframe)) return yield* malformed(`no chart has bars of ${timeframe}`)
  const found = chartBody(payload)
  if (Result.isFailure(found)) return yield* withoutChart(payload, found.failure)
  const body = found.success
  const meta = yield* Effect.mapError(Effect.fromResult(chartMeta(body.walker.text(body.meta))), (problem) =>
    malformed(problem)
  )
  // A chart without rows of something else would prove that there is nothing of what was asked for.
  const other = otherQuestion(meta, params)
  if (other !== null) return yield* other
  const columns = yield* columnsOf(body, params)
  const fault = otherCurrency(meta, params, columns !== null)
  if (fault !== null) return yield* fault
  if (columns === null) return empty(meta)
  const clock = clockOf(meta.exchangeTimezoneName)
  if (clock === null) return yield* malformed(`there is no zone ${meta.exchangeTimezoneName}`)
  const events =
    body.events === null
      ? noEvents
      : yield* Effect.mapError(Effect.fromResult(chartEvents(body.walker.text(body.events))), (problem) =>
          malformed(problem)
        )
  const actions = chartActions(events, clock, meta.currency ?? null)
  const allowNonPositivePrices = mayBeNegative.has(meta.instrumentType ?? "")
  const rows = new ChartRows({
    columns,
    timeframe,
    session,
    adjustment,
    range,
    clock,
    hours: new TradingHours(meta, clock),
    splits: actions.flatMap(({ action }) => (action.kind === "split" ? [{ ...action, date: action.ts }] : [])),
    liveAt: meta.regularMarketTime ?? null,
    allowNonPositivePrices
  })
  while (rows.read(rowsPerTurn)) yield* Effect.yieldNow
  // An intraday answer tells of the dates that its bars touch, not of whole days.
  const intraday = Timeframe.isIntraday(timeframe)
  const told = actions.filter(({ action }) => intraday || contains(range, action.ts))
  return {
    bars: rows.bars,
    positions: rows.positions,
    rejected: rows.rejected,
    actions: {
      rows: told.map(({ action }) => action),
      positions: told.map(({ position }) => position),
      complete: intraday ? null : range
    },
    allowNonPositivePrices,
    meta,
    tally: rows.tally
  }
})
