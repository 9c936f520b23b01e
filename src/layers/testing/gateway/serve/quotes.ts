/**
 * Top of book, as the gateway sends it: not each change but where things stand, at most once in an interval that depends on what it is. A line sleeps
 * until something happens, so one that is quiet costs nothing.
 */
import { marketDataType, type QuoteRequest, readQuote, snapshotEnd, tickParameters } from "../codec/ticks.ts"
import { farmOf } from "../Gateway.ts"
import { minimumTick, type SecType } from "../market/Instrument.ts"
import type { Live } from "../market/Live.ts"
import { delay, type Listing } from "../market/Market.ts"
import { newsAfter } from "../market/news.ts"
import { cancel, type Task } from "../VirtualTime.ts"
import { message } from "../wire/text.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import { QuoteTicks } from "./QuoteTicks.ts"
import type { Subscription } from "./Subscription.ts"

/** Milliseconds between two looks. */
const intervals: Readonly<Record<SecType, number>> = { STK: 250, FUT: 250, IND: 250, BAG: 250, OPT: 100, CASH: 5 }

class QuoteLine implements Subscription {
  readonly reqId: number
  readonly kind = "quote"
  readonly symbol: string
  readonly farm
  readonly live: boolean
  silent = false
  private readonly connection: Connection
  private readonly listing: Listing
  private readonly ticks: QuoteTicks
  private readonly generic: ReadonlyArray<string>
  private task: Task | null = null
  private news: Task | null = null

  constructor(connection: Connection, { generic, reqId }: QuoteRequest, listing: Listing, live: boolean) {
    this.connection = connection
    this.listing = listing
    this.reqId = reqId
    this.symbol = listing.instrument.name
    this.farm = farmOf(listing.instrument.secType)
    this.live = live
    this.generic = generic
    this.ticks = new QuoteTicks(reqId, listing.instrument, live, generic)
  }

  /** Market data is turned off: headlines alone. */
  private get newsOnly(): boolean {
    return this.generic.includes("mdoff")
  }

  private standing(): Live {
    const now = this.connection.gateway.time.now()
    return this.live ? this.listing.at(now) : this.listing.delayedAt(now)
  }

  /** What the client hears at once. */
  begin(type: number): void {
    const { connection, listing, reqId } = this
    connection.send(tickParameters(reqId, minimumTick(listing.instrument), "9c0001"))
    connection.send(marketDataType(reqId, type))
    if (!connection.gateway.flows(this) || this.newsOnly) return
    for (const text of this.ticks.initial(this.standing(), connection.gateway.time.now())) connection.tell(this, text)
  }

  run(): void {
    const { time } = this.connection.gateway
    if (!this.newsOnly) this.task = time.schedule(this.nextLook(time.now()), this.look)
    if (this.generic.includes("292")) this.awaitNews()
  }

  private nextLook(now: number): number {
    const next = this.standing().next + (this.live ? 0 : delay)
    return Math.max(next, now + intervals[this.listing.instrument.secType])
  }

  private readonly look = () => {
    const { connection } = this
    const { gateway } = connection
    const now = gateway.time.now()
    const standing = this.standing()
    if (!this.silent && gateway.flows(this)) {
      for (const text of this.ticks.changes(standing, now)) connection.tell(this, text)
    }
    this.task = gateway.time.schedule(this.nextLook(now), this.look)
  }

  private awaitNews(): void {
    const { connection, listing } = this
    const { time } = connection.gateway
    const item = newsAfter(listing.instrument, time.now())
    this.news = time.schedule(item.at, () => {
      connection.tell(this, message(84, this.reqId, item.at, item.provider, item.id, item.headline, "K:n/a"))
      this.awaitNews()
    })
  }

  readonly stop = () => {
    cancel(this.task)
    cancel(this.news)
  }
}

/** Whether live data is refused, delayed data given instead, or neither; the client is told what it has to know. */
const admission = (connection: Connection, reqId: number, symbol: string): "live" | "delayed" | "refused" => {
  const { faults } = connection.gateway
  if (connection.marketDataType >= 3) {
    connection.error(reqId, 10167, "Requested market data is not subscribed. Displaying delayed market data.")
    return "delayed"
  }
  if (faults.denied.has(symbol)) {
    const text = "Requested market data is not subscribed.Delayed market data is available."
    connection.error(reqId, 354, `${text}${symbol}/TOP/ALL`)
    return "refused"
  }
  if (faults.competing) connection.error(reqId, 10197, "No market data during competing live session")
  return "live"
}

export const quotes: Handlers = {
  1: (connection, fields) => {
    const request = readQuote(fields)
    const { reqId } = request
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const listing = listingFor(connection, reqId, request.spec)
    if (listing === null) return
    if (connection.count("quote", "bars") >= connection.gateway.settings.quotas.lines) {
      connection.error(reqId, 101, "Max number of tickers has been reached")
      return
    }
    const admitted = admission(connection, reqId, listing.instrument.name)
    if (admitted === "refused") return
    const line = new QuoteLine(connection, request, listing, admitted === "live")
    line.begin(admitted === "live" ? typeNow(connection, listing) : connection.marketDataType)
    if (request.snapshot) {
      connection.send(snapshotEnd(reqId))
      return
    }
    connection.subscribe(line)
    line.run()
  },
  2: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "quote")
  }
}

/** What was asked for as frozen is live while there is trade. */
const typeNow = (connection: Connection, { instrument }: Listing): number =>
  connection.marketDataType === 2 && !instrument.hours.isOpen(connection.gateway.time.now()) ? 2 : 1
