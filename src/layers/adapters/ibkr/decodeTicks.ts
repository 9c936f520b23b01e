/** Archived pages of trades or quotes as rows. Pure: the same bytes give the same rows in every process. */
import { Effect } from "effect"
import type { Tick } from "../../../domain/records/TickSeries.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { Malformed } from "../../../services/Adapter.ts"
import type { TickPage } from "../../../services/TickHistory.ts"
import { readAnswer } from "./answerBytes.ts"
import { meaningOf } from "./codes.ts"
import { messageIds } from "./frames.ts"
import { numberIn, sizeIn } from "./numbers.ts"
import { quoteOf } from "./quoteOf.ts"
import { type TicksParams, type TicksShown, ticksRequest } from "./ticksRequest.ts"
import { tradeOf } from "./tradeOf.ts"

const malformed = (message: string, position: number | null = null) => new Malformed({ position, message })

/** The fields of a message before its first row, and of a row. */
const before = 3
const width = 6

const secondIn = ([time]: ReadonlyArray<string>): number => numberIn(time) ?? Number.NaN

/** What shows what: the message that has it, and how a row of it is read; null where it is none. */
const shapes: {
  readonly [S in TicksShown]: {
    readonly name: string
    readonly message: number
    readonly row: (fields: ReadonlyArray<string>) => Tick | null
  }
} = {
  TRADES: {
    name: "trade",
    message: messageIds.historicalTicksLast,
    row: (fields) => {
      const [, , price, size, exchange = "", conditions = ""] = fields
      return tradeOf(secondIn(fields), numberIn(price), sizeIn(size), exchange, conditions)
    }
  },
  BID_ASK: {
    name: "quote",
    message: messageIds.historicalTicksBidAsk,
    row: (fields) => {
      const [, mask, bid, ask, bidSize, askSize] = fields
      return quoteOf(secondIn(fields), numberIn(mask) ?? Number.NaN, {
        bid: numberIn(bid),
        ask: numberIn(ask),
        bidSize: sizeIn(bidSize),
        askSize: sizeIn(askSize)
      })
    }
  }
}

/** The rows of a page that lie in the range, what of it they prove, and where the next page begins. */
export const decodeTicks = Effect.fnUntraced(function* (
  payload: Uint8Array,
  params: TicksParams,
  range: TimeRange
): Effect.fn.Return<TickPage, Malformed> {
  const { messages } = yield* Effect.mapError(Effect.fromResult(readAnswer(payload)), (problem) => malformed(problem))
  const { contract, count: asked, whatToShow } = params.query
  const shape = shapes[whatToShow]
  const from = Math.max(Date.parse(params.from), range.start)
  if (from >= range.end) return { rows: [], positions: [], proves: null, next: null }
  const nothing: TickPage = { rows: [], positions: [], proves: { start: from, end: range.end }, next: null }
  const last = messages.at(-1)
  if (last === undefined) return yield* malformed("it has no message")
  if (Number(last[0]) === messageIds.error) {
    const [, , , code = "", text = ""] = last
    return meaningOf(Number(code), text, 1).kind === "NoData" ? nothing : yield* malformed(`it is an error: ${text}`)
  }
  const rows: Array<Tick> = []
  const positions: Array<number> = []
  let count = 0
  let newest = Number.NEGATIVE_INFINITY
  for (const fields of messages) {
    const rowsHere = Number(fields[2])
    if (Number(fields[0]) !== shape.message || fields.length !== before + rowsHere * width + 1) {
      return yield* malformed(
        `message ${fields[0]} of ${fields.length} fields where ${fields[2]} ${shape.name}s should be`
      )
    }
    for (let row = 0; row < rowsHere; row++) {
      const cells = fields.slice(before + row * width, before + (row + 1) * width)
      const tick = shape.row(cells)
      if (tick === null) return yield* malformed(`no ${shape.name}: ${cells.join(" ")}`, count + row)
      const at = secondIn(cells) * 1000
      newest = Math.max(newest, at)
      if (at < from || at >= range.end) continue
      rows.push(tick)
      positions.push(count + row)
    }
    count += rowsHere
  }
  // A page has the whole of its last second.
  const until = newest + 1000
  if (count < asked || until >= range.end) return { ...nothing, rows, positions }
  // The next page would be this one again, for ever.
  if (until <= from)
    return yield* malformed(`a page of ${count} ${shape.name}s from before ${params.from}, where it was to begin`)
  return {
    rows,
    positions,
    proves: { start: from, end: until },
    next: ticksRequest(params.symbol, whatToShow, contract, { start: until, end: range.end })
  }
})
