/** A live book as a ladder: the prices in the middle, asks above bids, the best of both where they meet. */
import { isRows, type StreamItem } from "../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import type { Book } from "../../domain/streams/StreamRow.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { type Column, render } from "../format/Table.ts"
import { clipped } from "../format/Width.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { wordsOf } from "./streamWords.ts"

const columns: ReadonlyArray<Column> = [
  { header: "bid size", align: "right" },
  { header: "price", align: "decimal" },
  { header: "ask size", align: "right" }
]

export interface Ladder {
  readonly take: (item: StreamItem) => void
  /**
   * A line of what and when, the ladder, and the last word about the stream; no line is longer than `width`, and there are at most `height`: where
   * these are few, of both sides the prices that are farthest from the other side are left out.
   */
  readonly lines: (style: Style, width: number, height?: number) => ReadonlyArray<string>
}

export const ladder = ([key]: ReadonlyArray<StreamKey>): Ladder => {
  const symbol = oneLine(key?.symbol ?? "")
  let book: Book | null = null
  let stale = false
  let words = ""
  return {
    take: ({ event }) => {
      if (isRows(event)) {
        if (event._tag === "Depth") book = event.rows.at(-1) ?? book
        if (!event.snapshot) stale = false
        return
      }
      if (event._tag === "Gap" || event._tag === "Closed") stale = true
      words = wordsOf(symbol, event) ?? words
    },
    lines: (style, width, height = Number.POSITIVE_INFINITY) => {
      const cut = (text: string) => clipped(text, width)
      const word = words === "" ? [] : [style.dim(cut(words))]
      if (book === null) return [style.bold(symbol), style.dim("waiting"), ...word]
      const room = Math.max(2, height - 2 - word.length)
      // A side with few prices leaves its room to the other.
      const above = Math.min(book.asks.length, Math.max(Math.floor(room / 2), room - book.bids.length))
      const asks = book.asks
        .slice(0, above)
        .map(([price, size]) => ["", decimal(price), grouped(size)])
        .reverse()
      const bids = book.bids.slice(0, room - above).map(([price, size]) => [grouped(size), decimal(price), ""])
      const at = new Date(Number(book.tsNs / 1_000_000n)).toISOString().slice(11, 23)
      const [header = "", ...rows] = render(columns, [...asks, ...bids])
      return [
        style.bold(cut(`${symbol}  ${at}Z${stale ? "  stale" : ""}`)),
        style.dim(cut(header)),
        ...rows.map((row, index) => (index < asks.length ? style.red(cut(row)) : style.green(cut(row)))),
        ...word
      ].slice(0, height)
    }
  }
}
