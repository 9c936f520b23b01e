import { isoNanos } from "../../../../domain/records/instantText.ts"
import type { RowEvent } from "../../../../domain/streams/StreamEvent.ts"
import type { StreamKey } from "../../../../domain/streams/StreamKey.ts"
import type { Book, BookLevel, Ticker } from "../../../../domain/streams/StreamRow.ts"
import { type Content, freshness, type RowText } from "./Content.ts"

/** The best first, whatever the vendor keeps apart. */
const sorted = (levels: ReadonlyArray<BookLevel>, best: 1 | -1): ReadonlyArray<BookLevel> =>
  levels.some(([price], index) => index > 0 && best * ((levels[index - 1]?.[0] ?? price) - price) > 0)
    ? levels.toSorted((a, b) => best * (a[0] - b[0]))
    : levels

const front = (type: string, { symbol, vendor }: StreamKey) =>
  `{"type":"${type}","symbol":${JSON.stringify(symbol)},"vendor":${JSON.stringify(vendor)}`

/** Kinds of which each row says all that holds. */
const whole = (begin: string, bodiesOf: (event: RowEvent) => ReadonlyArray<() => string>): Content => {
  let latest: RowText | null = null
  return {
    rows: (event) => {
      const texts = bodiesOf(event).map(
        (body): RowText =>
          (dataType, snapshot) =>
            `${begin},${body()},${freshness(dataType)}${snapshot ? ',"snapshot":true' : ""}}`
      )
      latest = texts.at(-1) ?? latest
      return texts
    },
    word: () => null,
    latest: () => latest
  }
}

const quoteText = (row: Ticker): string =>
  `"bid":${row.bid},"bid_size":${row.bidSize},"ask":${row.ask},"ask_size":${row.askSize},"last":${row.last},"last_size":${row.lastSize},"volume":${row.volume},"open":${row.open},"high":${row.high},"low":${row.low},"previous_close":${row.previousClose},"ts":"${isoNanos(row.tsNs)}"`

const depthText = ({ asks, bids, tsNs }: Book): string =>
  `"bids":${JSON.stringify(sorted(bids, -1))},"asks":${JSON.stringify(sorted(asks, 1))},"ts":"${isoNanos(tsNs)}"`

export const quoteContent = (key: StreamKey): Content =>
  whole(front("quote", key), (event) => (event._tag === "Quotes" ? event.rows.map((row) => () => quoteText(row)) : []))

export const depthContent = (key: StreamKey): Content =>
  whole(front("depth", key), (event) => (event._tag === "Depth" ? event.rows.map((row) => () => depthText(row)) : []))
