/** What the live table of quotes shows: the newest ticker of each symbol, and what has become of its stream. */
import { isRows, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { Ticker } from "../../domain/streams/StreamRow.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { type Column, render } from "../format/Table.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { wordsOf } from "./streamWords.ts"

interface Line {
  readonly symbol: string
  ticker: Ticker | null
  /** The most that a price of it has had, so that prices do not jump. */
  decimals: number
  state: "waiting" | "live" | "stale" | "ended"
}

const columns: ReadonlyArray<Column> = [
  { header: "symbol", align: "left" },
  { header: "bid size", align: "right" },
  { header: "bid", align: "point" },
  { header: "ask", align: "point" },
  { header: "ask size", align: "right" },
  { header: "last", align: "point" },
  { header: "size", align: "right" },
  { header: "volume", align: "right" },
  { header: "at (UTC)", align: "left" },
  { header: "", align: "left" }
]

const decimalsOf = (value: number | null): number => (value === null ? 0 : (decimal(value).split(".")[1] ?? "").length)
/** With at least so many decimals. */
const price = (value: number | null, decimals: number): string => {
  if (value === null) return "-"
  const [whole = "", fraction = ""] = decimal(value).split(".")
  return decimals === 0 ? whole : `${whole}.${fraction.padEnd(decimals, "0")}`
}
const size = (value: number | null): string => (value === null ? "-" : grouped(value))
const clock = (tsNs: bigint): string => new Date(Number(tsNs / 1_000_000n)).toISOString().slice(11, 23)

export interface QuoteBoard {
  readonly take: (item: StreamItem) => void
  /** The table, and below it the last words; no line is longer than `width`. */
  readonly lines: (style: Style, width: number) => ReadonlyArray<string>
}

export const quoteBoard = (keys: ReadonlyArray<StreamKey>): QuoteBoard => {
  const board: ReadonlyArray<Line> = keys.map(({ symbol }) => ({
    symbol: oneLine(symbol),
    ticker: null,
    decimals: 0,
    state: "waiting"
  }))
  const said: Array<string> = []

  const say = (text: string) => {
    if (said.at(-1) === text) return
    said.push(text)
    if (said.length > 3) said.shift()
  }

  return {
    take: ({ event, stream }) => {
      const line = board[stream]
      if (line === undefined) return
      if (isRows(event)) {
        const ticker = event._tag === "Quotes" ? event.rows.at(-1) : undefined
        if (ticker !== undefined) {
          line.ticker = ticker
          line.decimals = Math.max(line.decimals, ...[ticker.bid, ticker.ask, ticker.last].map(decimalsOf))
        }
        if (!event.snapshot) line.state = "live"
        return
      }
      if (event._tag === "Gap") line.state = "stale"
      if (event._tag === "Closed") line.state = "ended"
      const words = wordsOf(line.symbol, event)
      if (words !== null) say(words)
    },
    lines: (style, width) => {
      const [header = "", ...rows] = render(
        columns,
        board.map(({ decimals, state, symbol, ticker }) =>
          ticker === null
            ? [symbol, "-", "-", "-", "-", "-", "-", "-", "-", state]
            : [
                symbol,
                size(ticker.bidSize),
                price(ticker.bid, decimals),
                price(ticker.ask, decimals),
                size(ticker.askSize),
                price(ticker.last, decimals),
                size(ticker.lastSize),
                size(ticker.volume),
                clock(ticker.tsNs),
                state === "live" ? "" : state
              ]
        )
      )
      const cut = (text: string) => text.slice(0, width)
      return [
        style.bold(cut(header)),
        ...rows.map((row, index) => {
          const state = board[index]?.state
          const text = cut(row)
          return state === "live" ? text : state === "waiting" ? style.dim(text) : style.yellow(text)
        }),
        ...said.map((text) => style.dim(cut(text)))
      ]
    }
  }
}
