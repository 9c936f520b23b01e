import type { StreamKey } from "../../../../domain/streams/StreamKey.ts"
import type { Holding, ProfitAndLoss } from "../../../../domain/streams/StreamRow.ts"
import { iso } from "../../../../domain/TimeRange.ts"
import { type Content, freshness, type RowText } from "./Content.ts"

/** What is held, and whether it was told of since the vendor was back. */
interface Held {
  readonly row: Holding
  fresh: boolean
}

/** Of all positions together; null where one is not known, or where they are in several currencies. */
const sumOf = (held: Iterable<Held>): number | null => {
  let sum = 0
  const currencies = new Set<string | null>()
  for (const { row } of held) {
    if (row.unrealized === null) return null
    currencies.add(row.currency)
    sum += row.unrealized
  }
  return currencies.size > 1 ? null : sum
}

const position = ({ row }: Held) => ({
  symbol: row.symbol,
  position: row.position,
  market_price: row.marketPrice,
  market_value: row.marketValue,
  average_cost: row.averageCost,
  unrealized_pnl: row.unrealized,
  realized_pnl: row.realized,
  currency: row.currency,
  ts: iso(row.ts)
})

/** An account, whole in each message: what it holds, and what it has won and lost. */
export const portfolioContent = ({ symbol: account, vendor }: StreamKey): Content => {
  const held = new Map<string, Held>()
  let pnl: ProfitAndLoss | null = null
  let complete = false
  let newest = 0
  let any = false

  const text: RowText = (dataType, snapshot) => {
    const body = {
      type: "portfolio",
      account,
      vendor,
      unrealized_pnl: pnl === null ? sumOf(held.values()) : pnl.unrealized,
      realized_pnl: pnl?.realized ?? null,
      daily_pnl: pnl?.daily ?? null,
      positions: Array.from(held.values(), position),
      complete,
      ts: iso(newest),
      ...(snapshot ? { snapshot: true } : {})
    }
    return `${JSON.stringify(body).slice(0, -1)},${freshness(dataType)}}`
  }

  const hold = (row: Holding) => {
    if (row.ts > newest) newest = row.ts
    if (row.position === 0) held.delete(row.symbol)
    else held.set(row.symbol, { row, fresh: true })
  }

  return {
    rows: (event) => {
      any = true
      if (event._tag === "Portfolio") for (const row of event.rows) hold(row)
      else if (event._tag === "Pnl") {
        for (const row of event.rows) {
          if (row.ts > newest) newest = row.ts
          if (row.symbol === null) pnl = row
        }
      }
      return [text]
    },
    word: (stream, event) => {
      if (stream !== 0) return null
      if (event._tag === "Gap") {
        complete = false
        for (const one of held.values()) one.fresh = false
      }
      if (event._tag !== "SnapshotComplete") return null
      // An account may hold nothing.
      any = true
      complete = true
      for (const [symbol, { fresh }] of held) if (!fresh) held.delete(symbol)
      return text
    },
    latest: () => (any ? text : null)
  }
}
