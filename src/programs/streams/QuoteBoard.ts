/** What the live table of quotes shows: the newest ticker of each symbol, and what has become of its stream. */
import { isRows, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { Ticker } from "../../domain/streams/StreamRow.ts"
import { fittedTable, lowered, type SpareColumn } from "../format/fitted.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { clipped, displayWidth } from "../format/Width.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { wordsOf } from "./streamWords.ts"

interface Line {
  readonly symbol: string
  ticker: Ticker | null
  /** The most that a price of it has had, so that prices do not jump. */
  decimals: number
  state: "waiting" | "live" | "stale" | "ended"
}

const columns: ReadonlyArray<SpareColumn> = [
  { header: "symbol", align: "left", spare: 0 },
  { header: "bid size", align: "right", spare: 1 },
  { header: "bid", align: "point", spare: 0 },
  { header: "ask", align: "point", spare: 0 },
  { header: "ask size", align: "right", spare: 1 },
  { header: "last", align: "point", spare: 3 },
  { header: "size", align: "right", spare: 4 },
  { header: "volume", align: "right", spare: 5 },
  { header: "at (UTC)", align: "left", spare: 2 },
  { header: "", align: "left", spare: 0 }
]
/** The longest of the states, two blanks in front: a line that breaks does not move the others. */
const stateWidth = 9

const stateOf = (cells: ReadonlyArray<string> | undefined): number => {
  const state = cells?.at(-1) ?? ""
  return state === "" ? 0 : state.length + 2
}

/** As many columns as there is room for. */
const fitted = (rows: ReadonlyArray<ReadonlyArray<string>>, width: number): ReadonlyArray<string> =>
  fittedTable(columns, rows, (lines, cells) => {
    const taken = Math.max(...lines.map((line, index) => displayWidth(line) - stateOf(cells[index - 1])))
    return taken + stateWidth <= width
  })

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
  /** The table, and below it the last words; no line is longer than `width`, and there are at most `height`. */
  readonly lines: (style: Style, width: number, height?: number) => ReadonlyArray<string>
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
    lines: (style, width, height = Number.POSITIVE_INFINITY) => {
      const [header = "", ...rows] = fitted(
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
        ),
        width
      )
      const cut = (text: string) => clipped(text, width)
      const shown = lowered(rows, Math.max(1, height - 1 - said.length))
      return [
        style.bold(cut(header)),
        ...shown.map((row, index) => {
          const state = row === rows[index] ? board[index]?.state : "waiting"
          const text = cut(row)
          return state === "live" ? text : state === "waiting" ? style.dim(text) : style.yellow(text)
        }),
        ...said.map((text) => style.dim(cut(text)))
      ].slice(0, height)
    }
  }
}
