/**
 * Books, as what changes in them. In rows (the default) a position is overwritten, and rows come and go at the far end alone: clients that shift rows on
 * insertion and clients that do not (ib_async) have the same book. In shifts what is gone is deleted and what has come is inserted
 * where it is, as the documentation of the protocol says.
 */
import { readContract } from "../codec/contract.ts"
import { priceOf } from "../market/Instrument.ts"
import { type Ladder, type Level, ladderOf } from "../market/ladder.ts"
import type { Listing } from "../market/Market.ts"
import { message } from "../wire/text.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import { ListingLine } from "./ListingLine.ts"

const interval = 100
const mostRows = 60

type Change = readonly [operation: 0 | 1 | 2, position: number, level: Level]

const inRows = (before: ReadonlyArray<Level>, after: ReadonlyArray<Level>): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  for (let position = before.length - 1; position >= after.length; position--) {
    const level = before[position]
    if (level !== undefined) changes.push([2, position, level])
  }
  for (const [position, level] of after.entries()) {
    const row = before[position]
    if (row === undefined) changes.push([0, position, level])
    else if (row.price !== level.price || row.size !== level.size) changes.push([1, position, level])
  }
  return changes
}

/** What is gone first, from the far end, then what has come, then sizes: no row is ever there twice. */
const inShifts = (before: ReadonlyArray<Level>, after: ReadonlyArray<Level>): ReadonlyArray<Change> => {
  const changes: Array<Change> = []
  const stays = new Set(after.map(({ price }) => price))
  const rows = [...before]
  for (let position = before.length - 1; position >= 0; position--) {
    const level = rows[position]
    if (level === undefined || stays.has(level.price)) continue
    changes.push([2, position, level])
    rows.splice(position, 1)
  }
  for (const [position, level] of after.entries()) {
    const row = rows[position]
    if (row?.price !== level.price) {
      changes.push([0, position, level])
      rows.splice(position, 0, level)
    } else if (row.size !== level.size) changes.push([1, position, level])
  }
  return changes
}

class Depth extends ListingLine {
  readonly kind = "depth"
  private readonly rows: number
  private readonly smart: boolean
  private sent: Ladder = { bids: [], asks: [] }

  constructor(connection: Connection, reqId: number, listing: Listing, rows: number, smart: boolean) {
    super(connection, reqId, listing)
    this.rows = rows
    this.smart = smart
  }

  readonly look = () => {
    const { connection, listing } = this
    const { gateway } = connection
    const now = gateway.time.now()
    const live = listing.at(now)
    if (!this.silent && gateway.flows(this)) {
      const ladder = ladderOf(listing.instrument, live, now, this.rows)
      this.tell(0, this.sent.asks, ladder.asks)
      this.tell(1, this.sent.bids, ladder.bids)
      this.sent = ladder
    }
    this.task = gateway.time.schedule(Math.max(live.next, now + interval), this.look)
  }

  private tell(side: 0 | 1, before: ReadonlyArray<Level>, after: ReadonlyArray<Level>): void {
    const { connection, listing, reqId, smart } = this
    const changes = connection.gateway.settings.depthChanges === "rows" ? inRows : inShifts
    for (const [operation, position, level] of changes(before, after)) {
      const isGone = operation === 2
      const price = isGone ? 0 : priceOf(listing.instrument, level.price)
      const size = isGone ? 0 : level.size
      const text = smart
        ? message(13, 1, reqId, position, level.maker, operation, side, price, size, 1)
        : message(12, 1, reqId, position, operation, side, price, size)
      connection.tell(this, text)
    }
  }
}

export const depth: Handlers = {
  10: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    const spec = readContract(fields)
    const rows = fields.int()
    const smart = fields.flag()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const most = connection.gateway.settings.quotas.depth
    if (rows < 1 || rows > mostRows) {
      connection.error(reqId, 321, `Error validating request.-'bG' : cause - 1 to ${mostRows} rows`)
    } else if (connection.count("depth") >= most) {
      connection.error(reqId, 309, `Max number (${most}) of market depth requests has been reached`)
    } else if (connection.gateway.faults.denied.has(listing.instrument.name)) {
      connection.error(reqId, 354, "Requested market data is not subscribed.")
    } else {
      const line = new Depth(connection, reqId, listing, rows, smart)
      connection.subscribe(line)
      line.look()
    }
  },
  11: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "depth")
  },
  82: (connection) => {
    const rows = ["CME", "NYMEX"].flatMap((exchange) => [exchange, "FUT", "", "Deep", ""])
    const stocks = ["ARCA", "BATS", "NASDAQ", "NYSE"].flatMap((exchange) => [exchange, "STK", "", "Deep2", 1])
    connection.send(message(80, (rows.length + stocks.length) / 5, ...rows, ...stocks))
  }
}
