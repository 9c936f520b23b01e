/**
 * Recorded trades out of a file. Two forms are read: CSV with a first line that names `time`, `price` and `size`, and perhaps `exchange` and
 * `conditions` (times are ISO instants or epoch milliseconds); and the ticks of LEAN, `YYYYMMDD_trade.zip` in a folder that is named
 * after the symbol, whose times are milliseconds after midnight in New York and whose prices are times 10,000. What LEAN marks
 * as suspicious is left out.
 */
import { Result, Schema } from "effect"
import * as ZoneClock from "../../../domain/ZoneClock.ts"
import type { Recording } from "./market/RecordedTape.ts"

/** Recorded trades that cannot be read; `detail` names the line. */
export class RecordingError extends Schema.TaggedError<RecordingError>()("RecordingError", { detail: Schema.String }) {
  override get message(): string {
    return `the recording cannot be read: ${this.detail}`
  }
}

interface Trade {
  readonly at: number
  readonly price: string
  readonly size: number
  readonly exchange: string
  readonly conditions: string
}

const leanName = /(?:^|[\\/])([^\\/]+)[\\/](\d{4})(\d{2})(\d{2})_trade\.(?:zip|csv)$/
const anyName = /([^\\/.]+)(?:\.[^\\/]*)?$/
const decimal = /^\d{1,9}(?:\.(\d{1,8}))?$/

/** LEAN's prices have four places too many for their text. */
const fourPlaces = (text: string): string => {
  const padded = text.padStart(5, "0")
  return `${padded.slice(0, -4)}.${padded.slice(-4)}`.replace(/\.?0+$/, "")
}

type Reader = (cells: ReadonlyArray<string>) => Trade | null

const leanReader = (midnight: number): Reader => {
  const zone = ZoneClock.make("America/New_York")
  const start = zone === null ? midnight : zone.first(midnight)
  return ([time = "", price = "", size = "", exchange = "", conditions = ""]) => ({
    at: start + Number(time),
    price: fourPlaces(price),
    size: Number(size),
    exchange,
    conditions
  })
}

const namedReader = (header: ReadonlyArray<string>): Reader | null => {
  const at = (name: string) => header.indexOf(name)
  const [time, price, size, exchange, conditions] = ["time", "price", "size", "exchange", "conditions"].map(at)
  if (time === undefined || price === undefined || size === undefined || Math.min(time, price, size) < 0) return null
  return (cells) => {
    const text = cells[time] ?? ""
    return {
      at: /^\d+$/.test(text) ? Number(text) : Date.parse(text),
      price: cells[price] ?? "",
      size: Number(cells[size] ?? ""),
      exchange: cells[exchange ?? -1] ?? "",
      conditions: cells[conditions ?? -1] ?? ""
    }
  }
}

const isSound = ({ at, price, size }: Trade): boolean =>
  Number.isFinite(at) && decimal.test(price) && Number.isFinite(size) && size > 0

const recordingOf = (symbol: string, trades: ReadonlyArray<Trade>): Recording => {
  const decimals = trades.reduce((most, { price }) => Math.max(most, price.split(".")[1]?.length ?? 0), 2)
  const venues = new Map<string, number>()
  const exchanges: Array<string> = []
  const conditions: Array<string> = []
  const venueOf = (trade: Trade) => {
    const key = `${trade.exchange}\u0000${trade.conditions}`
    const known = venues.get(key)
    if (known !== undefined) return known
    exchanges.push(trade.exchange)
    conditions.push(trade.conditions)
    venues.set(key, venues.size)
    return venues.size - 1
  }
  return {
    symbol,
    decimals,
    times: Float64Array.from(trades, ({ at }) => at),
    prices: Int32Array.from(trades, ({ price }) => Math.round(Number(price) * 10 ** decimals)),
    sizes: Float64Array.from(trades, ({ size }) => size),
    venues: Uint16Array.from(trades, venueOf),
    exchanges,
    conditions
  }
}

/** Most pairs of exchange and conditions that a recording may have. */
const mostVenues = 0x7fff

/** `path` is the file's, whose names say what was traded, and of LEAN's files when. */
export const parseRecording = (path: string, text: string): Result.Result<Recording, RecordingError> => {
  const failed = (detail: string) => Result.fail(new RecordingError({ detail }))
  const lines = text.split(/\r?\n/)
  const lean = leanName.exec(path)
  const [, symbol = "", year, month, day] = lean ?? []
  const reader =
    lean === null
      ? namedReader((lines.shift() ?? "").split(","))
      : leanReader(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (reader === null) return failed("the first line names no time, price and size")
  const trades: Array<Trade> = []
  for (const [index, line] of lines.entries()) {
    if (line === "") continue
    const cells = line.split(",")
    if (lean !== null && cells[5] === "1") continue
    const trade = reader(cells)
    const number = index + (lean === null ? 2 : 1)
    if (trade === null || !isSound(trade)) return failed(`line ${number}: ${line.slice(0, 80)}`)
    if (trade.at < (trades.at(-1)?.at ?? 0)) return failed(`line ${number} is older than the one before it`)
    trades.push(trade)
  }
  if (trades.length === 0) return failed("it has no trades")
  const name = (lean === null ? (anyName.exec(path)?.[1] ?? "") : symbol).toUpperCase()
  const recording = recordingOf(name, trades)
  return recording.exchanges.length > mostVenues
    ? failed("too many exchanges and conditions")
    : Result.succeed(recording)
}
