/** Bars of five seconds, each when it is over. */

import { readContract } from "../codec/contract.ts"
import { realTimeBar } from "../codec/history.ts"
import type { BarPrice } from "../market/bars.ts"
import type { Listing } from "../market/Market.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import { ListingLine } from "./ListingLine.ts"
import { priceKind, wireBar } from "./wireBars.ts"

const length = 5_000
const perTenMinutes = 60

class RealTimeBars extends ListingLine {
  readonly kind = "bars"
  private readonly price: BarPrice
  private readonly regular: boolean

  constructor(connection: Connection, reqId: number, listing: Listing, price: BarPrice, regular: boolean) {
    super(connection, reqId, listing)
    this.price = price
    this.regular = regular
  }

  run(): void {
    const { time } = this.connection.gateway
    const now = time.now()
    const day = this.listing.instrument.hours.at(now)
    // While nothing is traded there is no bar, and nothing to wake up for.
    const from = day === null || day.open <= now ? now : day.open
    this.task = time.schedule((Math.floor(from / length) + 1) * length, this.close)
  }

  private readonly close = () => {
    const { connection, listing, price, regular, reqId } = this
    const to = connection.gateway.time.now()
    const [bar] = listing.bars({ from: to - length, to, size: length, price, regular })
    if (bar !== undefined) {
      const time = String(Math.floor(bar.at / 1000))
      connection.tell(this, realTimeBar(reqId, wireBar(listing.instrument, price, bar, time)))
    }
    this.run()
  }
}

/** True when it is one too many within ten minutes, or a fault says so. */
const isTooMany = (connection: Connection): boolean => {
  const { faults, settings, time } = connection.gateway
  if (faults.realTimePacing > 0) {
    faults.realTimePacing--
    return true
  }
  const since = time.now() - 600_000
  connection.barsAsked = connection.barsAsked.filter((at) => at > since)
  if (settings.quotas.historyPacing && connection.barsAsked.length >= perTenMinutes) return true
  connection.barsAsked.push(time.now())
  return false
}

export const realTimeBars: Handlers = {
  50: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    const spec = readContract(fields)
    const size = fields.number()
    const what = fields.text()
    const regular = fields.flag()
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const { quotas } = connection.gateway.settings
    const price = priceKind(what)
    const { instrument } = listing
    if (size !== 5 || price === null || (price === "trade" && !instrument.trades)) {
      connection.error(reqId, 321, "Error validating request.-'bX' : cause - Bars of 5 seconds of a kind that it has")
    } else if (isTooMany(connection)) {
      connection.error(reqId, 420, "Invalid Real-time Query:Historical data request pacing violation")
    } else if (connection.count("quote", "bars") >= quotas.lines) {
      connection.error(reqId, 101, "Max number of tickers has been reached")
    } else if (connection.gateway.faults.denied.has(instrument.name)) {
      connection.error(reqId, 420, `Invalid Real-time Query:No market data permissions for ${instrument.exchange}`)
    } else {
      const line = new RealTimeBars(connection, reqId, listing, price, regular)
      connection.subscribe(line)
      line.run()
    }
  },
  51: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (wasRead(connection, reqId, fields)) connection.unsubscribe(reqId, "bars")
  }
}
