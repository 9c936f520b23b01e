import type { LifecycleEvent, RowEvent } from "../../../../domain/streams/StreamEvent.ts"
import type { Holding, ProfitAndLoss } from "../../../../domain/streams/StreamRow.ts"
import { iso } from "../../../../domain/TimeRange.ts"

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

/** An account, put together from what its streams tell: `portfolio` is the first of them. */
export class Portfolio {
  readonly #held = new Map<string, Held>()
  #pnl: ProfitAndLoss | null = null
  #newest: number | null = null
  #complete = false

  /** What the vendor sends of itself has all come. */
  get complete(): boolean {
    return this.#complete
  }

  /** The account's own figures have come. */
  get valued(): boolean {
    return this.#pnl !== null
  }

  get isEmpty(): boolean {
    return this.#newest === null && !this.#complete
  }

  rows(event: RowEvent): void {
    if (event._tag === "Portfolio") for (const row of event.rows) this.#hold(row)
    if (event._tag !== "Pnl") return
    for (const row of event.rows) {
      this.#newest = Math.max(this.#newest ?? row.ts, row.ts)
      if (row.symbol === null) this.#pnl = row
    }
  }

  /** Whether it changed what there is. */
  word(stream: number, event: LifecycleEvent): boolean {
    if (stream !== 0) return false
    if (event._tag === "Gap") {
      this.#complete = false
      for (const one of this.#held.values()) one.fresh = false
    }
    if (event._tag !== "SnapshotComplete") return false
    this.#complete = true
    for (const [symbol, { fresh }] of this.#held) if (!fresh) this.#held.delete(symbol)
    return true
  }

  get document() {
    return {
      unrealized_pnl: this.#pnl === null ? sumOf(this.#held.values()) : this.#pnl.unrealized,
      realized_pnl: this.#pnl?.realized ?? null,
      daily_pnl: this.#pnl?.daily ?? null,
      positions: Array.from(this.#held.values(), position),
      complete: this.#complete,
      ts: this.#newest === null ? null : iso(this.#newest)
    }
  }

  #hold(row: Holding): void {
    this.#newest = Math.max(this.#newest ?? row.ts, row.ts)
    if (row.position === 0) this.#held.delete(row.symbol)
    else this.#held.set(row.symbol, { row, fresh: true })
  }
}
