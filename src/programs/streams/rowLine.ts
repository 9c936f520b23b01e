import type { Bar } from "../../domain/Bar.ts"
import { isoNanos } from "../../domain/records/instantText.ts"
import type { Trade } from "../../domain/records/Trade.ts"
import type { StreamKey } from "../../domain/streams/StreamKey.ts"
import { millisOf, type StreamRow, type Ticker } from "../../domain/streams/StreamRow.ts"
import { decimal, grouped } from "../format/Numbers.ts"
import { oneLine } from "../terminal/Style.ts"
import { tradeLine } from "./tradeLine.ts"

const side = (price: number | null, size: number | null): string =>
  price === null ? "-" : `${decimal(price)}${size === null ? "" : ` x ${grouped(size)}`}`

/** A row of any stream as a line: when, of what, and what it says; times in UTC. */
export const rowLine = ({ kind, symbol, timeframe }: StreamKey, row: StreamRow): string => {
  if (kind === "trades") return tradeLine(symbol, row as Trade)
  const at = "tsNs" in row ? isoNanos(row.tsNs).slice(11, -1) : new Date(millisOf(row)).toISOString().slice(11, -1)
  const name = oneLine(symbol).padEnd(8)
  if (kind === "quotes") {
    const { ask, askSize, bid, bidSize } = row as Ticker
    return `${at}  ${name}  ${side(bid, bidSize)}  /  ${side(ask, askSize)}`
  }
  if (kind === "bars") {
    const { close, high, low, open, volume } = row as Bar
    const prices = [open, high, low, close].map(decimal).join(" ")
    return `${at}  ${name}  ${timeframe ?? ""}  ${prices}${volume === null ? "" : `  ${grouped(volume)}`}`
  }
  const { ts: _, tsNs: __, ...rest } = row as unknown as Record<string, unknown>
  return `${at}  ${name}  ${kind}  ${oneLine(JSON.stringify(rest))}`
}
