/** Every trade or quote of an instrument, each at its instant. */
import { middleTick, quoteTick, readTickByTick, type TickByTickRequest, tradeTick } from "../codec/ticks.ts"
import { priceOf } from "../market/Instrument.ts"
import type { Listing } from "../market/Market.ts"
import { unreported, type Visit } from "../market/Tape.ts"
import { venueOf } from "../truth.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import { ListingLine } from "./ListingLine.ts"

const kinds = ["Last", "AllLast", "BidAsk", "MidPoint"] as const
type Kind = (typeof kinds)[number]

/** How long one instrument may not be asked for again. */
const pause = 15_000

/** The attributes of a trade: bit 1, that it is not reported. */
export const tradeMask = (venue: number): number => ((venue & unreported) === 0 ? 0 : 2)

class TickByTickLine extends ListingLine {
  readonly kind = "tickByTick"
  private readonly what: Kind
  private readonly ignoreSize: boolean
  private until: number
  private bid = Number.NaN
  private ask = Number.NaN

  constructor(connection: Connection, { ignoreSize, reqId }: TickByTickRequest, what: Kind, listing: Listing) {
    super(connection, reqId, listing)
    this.what = what
    this.ignoreSize = ignoreSize
    this.until = connection.gateway.time.now() + 1
  }

  run(): void {
    const { time } = this.connection.gateway
    this.task = time.schedule(this.listing.tape.nextAfter(this.until - 1), this.look)
  }

  private readonly look = () => {
    const now = this.connection.gateway.time.now()
    this.listing.tape.each(this.until, now + 1, this.visit)
    this.until = now + 1
    this.run()
  }

  private readonly visit: Visit = (at, bid, ask, bidSize, askSize, price, size, venue) => {
    const { connection, listing, reqId, what } = this
    const { instrument, tape } = listing
    const seconds = Math.floor(at / 1000)
    if (what === "Last" || what === "AllLast") {
      if (size === 0 || (what === "Last" && (venue & unreported) !== 0)) return
      const traded = priceOf(instrument, price)
      const [exchange, conditions] = [venueOf(tape, venue), tape.conditionOf(venue)]
      const type = what === "Last" ? 1 : 2
      connection.tell(this, tradeTick(reqId, type, seconds, traded, size, tradeMask(venue), exchange, conditions))
      return
    }
    const moved = bid !== this.bid || ask !== this.ask
    this.bid = bid
    this.ask = ask
    if (what === "MidPoint") {
      if (moved) connection.tell(this, middleTick(reqId, seconds, priceOf(instrument, (bid + ask) / 2)))
    } else if (moved || !this.ignoreSize) {
      const [lower, upper] = [priceOf(instrument, bid), priceOf(instrument, ask)]
      connection.tell(this, quoteTick(reqId, seconds, lower, upper, bidSize, askSize))
    }
  }
}

/** Whether it may be had now; who may not has been told why. */
const isAdmitted = (connection: Connection, reqId: number, { instrument }: Listing): boolean => {
  const { faults, settings, time } = connection.gateway
  if (connection.count("tickByTick") >= settings.quotas.tickByTick) {
    connection.error(reqId, 10190, "Max number of tick-by-tick requests has been reached")
    return false
  }
  if (instrument.secType === "OPT" || instrument.secType === "BAG" || faults.denied.has(instrument.name)) {
    connection.error(reqId, 10189, "Failed to request tick-by-tick data.No market data permissions")
    return false
  }
  const before = connection.tickByTickAt.get(instrument.name)
  if (settings.quotas.historyPacing && before !== undefined && time.now() - before < pause) {
    connection.error(reqId, 322, "Error processing request.-'cu' : cause - Only 1 tick-by-tick request in 15 seconds")
    return false
  }
  connection.tickByTickAt.set(instrument.name, time.now())
  return true
}

export const tickByTick: Handlers = {
  97: (connection, fields) => {
    const request = readTickByTick(fields)
    const { reqId, spec } = request
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const what = kinds.find((kind) => kind === request.type)
    if (what === undefined) {
      connection.error(reqId, 321, `Error validating request.-'cu' : cause - ${request.type} is no tick type`)
      return
    }
    const listing = listingFor(connection, reqId, spec)
    if (listing === null || !isAdmitted(connection, reqId, listing)) return
    const line = new TickByTickLine(connection, request, what, listing)
    connection.subscribe(line)
    line.run()
  },
  98: (connection, fields) => {
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "tickByTick")
  }
}
