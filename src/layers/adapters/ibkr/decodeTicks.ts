/** Archived pages of trades as rows. Pure: the same bytes give the same rows in every process. */
import { Effect } from "effect"
import type { Trade } from "../../../domain/records/Trade.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { Malformed } from "../../../services/Adapter.ts"
import type { TickPage } from "../../../services/TickHistory.ts"
import { readAnswer } from "./answerBytes.ts"
import { meaningOf } from "./codes.ts"
import { messageIds } from "./frames.ts"
import { numberIn, sizeIn } from "./numbers.ts"
import { type TicksParams, ticksRequest } from "./ticksRequest.ts"
import { tradeOf } from "./tradeOf.ts"

const malformed = (message: string, position: number | null = null) => new Malformed({ position, message })

/** A page whose rows are trades: what both a stream's history and that of ticks have. */
interface TradePage extends TickPage {
  readonly rows: ReadonlyArray<Trade>
}

const before = 3
const width = 6

/** The trades of a page that lie in the range, what of it they prove, and where the next page begins. */
export const decodeTicks = Effect.fnUntraced(function* (
  payload: Uint8Array,
  params: TicksParams,
  range: TimeRange
): Effect.fn.Return<TradePage, Malformed> {
  const { messages } = yield* Effect.mapError(Effect.fromResult(readAnswer(payload)), (problem) => malformed(problem))
  const from = Math.max(Date.parse(params.from), range.start)
  if (from >= range.end) return { rows: [], positions: [], proves: null, next: null }
  const nothing: TradePage = { rows: [], positions: [], proves: { start: from, end: range.end }, next: null }
  const last = messages.at(-1)
  if (last === undefined) return yield* malformed("it has no message")
  if (Number(last[0]) === messageIds.error) {
    const [, , , code = "", text = ""] = last
    return meaningOf(Number(code), text, 1).kind === "NoData" ? nothing : yield* malformed(`it is an error: ${text}`)
  }
  const rows: Array<Trade> = []
  const positions: Array<number> = []
  let count = 0
  let newest = Number.NEGATIVE_INFINITY
  for (const fields of messages) {
    const rowsHere = Number(fields[2])
    if (Number(fields[0]) !== messageIds.historicalTicksLast || fields.length !== before + rowsHere * width + 1) {
      return yield* malformed(`message ${fields[0]} of ${fields.length} fields where ${fields[2]} trades should be`)
    }
    for (let row = 0; row < rowsHere; row++) {
      const [time, , price, size, exchange = "", conditions = ""] = fields.slice(
        before + row * width,
        before + (row + 1) * width
      )
      const seconds = numberIn(time) ?? Number.NaN
      const trade = tradeOf(seconds, numberIn(price), sizeIn(size), exchange, conditions)
      if (trade === null) return yield* malformed(`no trade: ${time} ${price} ${size}`, count + row)
      newest = Math.max(newest, seconds * 1000)
      if (seconds * 1000 < from || seconds * 1000 >= range.end) continue
      rows.push(trade)
      positions.push(count + row)
    }
    count += rowsHere
  }
  // A page has the whole of its last second.
  const until = newest + 1000
  if (count < params.query.count || until >= range.end) return { ...nothing, rows, positions }
  // The next page would be this one again, for ever.
  if (until <= from)
    return yield* malformed(`a page of ${count} trades from before ${params.from}, where it was to begin`)
  return {
    rows,
    positions,
    proves: { start: from, end: until },
    next: ticksRequest(params.symbol, params.query.contract, { start: until, end: range.end })
  }
})
