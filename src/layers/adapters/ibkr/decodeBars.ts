/** Archived bars of a gateway as rows. Pure: the same bytes give the same rows in every process. */
import { Effect, Option, Result } from "effect"
import type { Bar } from "../../../domain/Bar.ts"
import { defectOf } from "../../../domain/Bar.ts"
import { floor, isIntraday, type Timeframe } from "../../../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../../../domain/TimeRange.ts"
import { contains } from "../../../domain/TimeRange.ts"
import { type DecodedBars, type Excerpt, Malformed } from "../../../services/Adapter.ts"
import { BarCollector } from "../records/BarCollector.ts"
import { type ArchivedAnswer, readAnswer } from "./answerBytes.ts"
import type { BarsParams } from "./BarsRequest.ts"
import { meaningOf } from "./codes.ts"
import { mayBeNegative } from "./contract.ts"
import { messageIds } from "./frames.ts"

const malformed = (message: string, position: number | null = null) => new Malformed({ position, message })

/** Fields before the first row: the kind of message, the request, its range, and how many rows there are. */
const before = 5
const width = 8

/** The fields of all rows; null where IB said that there are none. */
export const rowsOf = ({
  messages
}: ArchivedAnswer): Result.Result<
  { readonly fields: ReadonlyArray<string>; readonly count: number } | null,
  Malformed
> => {
  const last = messages.at(-1)
  if (last === undefined) return Result.fail(malformed("it has no message"))
  if (Number(last[0]) === messageIds.error) {
    const [, , , code = "", text = ""] = last
    return meaningOf(Number(code), text, 1).kind === "NoData"
      ? Result.succeed(null)
      : Result.fail(malformed(`it is an error: ${text}`))
  }
  if (Number(last[0]) !== messageIds.historicalData) {
    return Result.fail(malformed(`message ${last[0]} where bars should be`))
  }
  const count = Number(last[4])
  if (!Number.isInteger(count) || count < 0 || last.length !== before + count * width) {
    return Result.fail(malformed(`${last[4]} bars are announced, and there are ${(last.length - before) / width}`))
  }
  return Result.succeed({ fields: last, count })
}

const dateShape = /^(\d{4})(\d\d)(\d\d)$/
const secondsShape = /^\d{1,11}$/

/** A day and longer: the date of the session, which for a week or month is one in it. Shorter: seconds since 1970. */
const stampOf = (text: string, timeframe: Timeframe): EpochMillis | null => {
  if (isIntraday(timeframe)) return secondsShape.test(text) ? Number(text) * 1000 : null
  const date = dateShape.exec(text)
  if (date === null) return null
  const ts = Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3]))
  return floor(timeframe, ts)
}

/** -1 is IB's word for what it does not have. */
const known = (text: string): number | null => {
  const value = numberOf(text)
  return value === -1 ? null : value
}

const numberOf = (text: string): number => (text === "" ? Number.NaN : Number(text))

const barAt = (fields: ReadonlyArray<string>, at: number, ts: EpochMillis): Bar => {
  const [, open = "", high = "", low = "", close = "", volume = "", vwap = "", count = ""] = fields.slice(
    at,
    at + width
  )
  return {
    ts,
    open: numberOf(open),
    high: numberOf(high),
    low: numberOf(low),
    close: numberOf(close),
    volume: known(volume),
    vwap: known(vwap),
    count: known(count)
  }
}

const perTurn = 4_000

export const decodeBars = Effect.fnUntraced(function* (
  payload: Uint8Array,
  { query, timeframe }: BarsParams,
  range: TimeRange
): Effect.fn.Return<DecodedBars, Malformed> {
  const answer = yield* Effect.mapError(Effect.fromResult(readAnswer(payload)), (problem) => malformed(problem))
  const found = yield* Effect.fromResult(rowsOf(answer))
  const secType = query.contract.secType
  const allowNonPositivePrices = mayBeNegative(typeof secType === "string" ? secType : undefined)
  const rows = new BarCollector()
  for (let row = 0; row < (found?.count ?? 0); row++) {
    const at = before + row * width
    const text = found?.fields[at] ?? ""
    const ts = stampOf(text, timeframe)
    if (ts === null) return yield* malformed(`${JSON.stringify(text)} is no time of a bar of ${timeframe}`, row)
    if (contains(range, ts)) {
      const bar = barAt(found?.fields ?? [], at, ts)
      const defect = defectOf(bar, { allowNonPositivePrices })
      if (defect !== null) return yield* malformed(defect, row)
      rows.push(bar, row)
    }
    if (row % perTurn === perTurn - 1) yield* Effect.yieldNow
  }
  return { ...rows.finish(), rejected: [], allowNonPositivePrices }
})

const names = ["time", "open", "high", "low", "close", "volume", "wap", "count"]

/** The row that a position names, field for field as it came; null where there is none. */
export const locateBar = (payload: Uint8Array, position: number): Excerpt | null => {
  const found = Option.getOrNull(
    Option.flatMap(Result.getSuccess(readAnswer(payload)), (answer) => Result.getSuccess(rowsOf(answer)))
  )
  if (found === null || position < 0 || position >= found.count) return null
  const at = before + position * width
  const row = Object.fromEntries(names.map((name, index) => [name, found.fields[at + index] ?? ""]))
  return { label: `row ${position}`, text: JSON.stringify(row) }
}
