/**
 * Ticks of the past: forward from an instant or back from one, as many as were asked for and those that share the last one's second with it. So who
 * goes on from the second of the last tick misses none.
 */
import { type HistoricalTicksRequest, readHistoricalTicks, historicalTicks as ticksMessage } from "../codec/history.ts"
import { priceOf } from "../market/Instrument.ts"
import type { Listing } from "../market/Market.ts"
import type { Visit } from "../market/Tape.ts"
import { venueOf } from "../truth.ts"
import { readInstant } from "../wire/zoned.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import { isEmptied, isPaced, noData } from "./history.ts"
import { tradeMask } from "./tickByTick.ts"

interface Row {
  readonly second: number
  readonly text: string
}

const messages = { TRADES: 98, BID_ASK: 97, MIDPOINT: 96 } as const
type What = keyof typeof messages
const isWhat = (text: string): text is What => text in messages

const most = 1_000
const firstWindow = 60_000
const longestWindow = 6 * 3_600_000

/** Writes what happens as rows of a message, each after its fields. */
const writer = ({ ignoreSize, regular }: HistoricalTicksRequest, what: What, listing: Listing) => {
  const { instrument, tape } = listing
  const { hours } = instrument
  let before = ""
  return (rows: Array<Row>): Visit =>
    (at, bid, ask, bidSize, askSize, price, size, venue) => {
      if (regular && !hours.isLiquid(at)) return
      const second = Math.floor(at / 1000)
      if (what === "TRADES") {
        if (size === 0) return
        const traded = `${second}\u0000${tradeMask(venue)}\u0000${priceOf(instrument, price)}\u0000${size}`
        const text = `${traded}\u0000${venueOf(tape, venue)}\u0000${tape.conditionOf(venue)}\u0000`
        rows.push({ second, text })
        return
      }
      const [lower, upper] = [priceOf(instrument, bid), priceOf(instrument, ask)]
      const quote = `${lower}\u0000${upper}`
      const moved = quote !== before
      before = quote
      if (what === "MIDPOINT") {
        const middle = priceOf(instrument, (bid + ask) / 2)
        if (moved) rows.push({ second, text: `${second}\u00000\u0000${middle}\u00000\u0000` })
      } else if (moved || !ignoreSize) {
        rows.push({ second, text: `${second}\u00000\u0000${quote}\u0000${bidSize}\u0000${askSize}\u0000` })
      }
    }
}

const forward = (request: HistoricalTicksRequest, what: What, listing: Listing, start: number, now: number) => {
  const rows: Array<Row> = []
  const visit = writer(request, what, listing)(rows)
  let window = firstWindow
  for (let from = start; from <= now && rows.length <= request.count; ) {
    // Whole seconds, so that one is never had in parts.
    const to = Math.min(Math.floor((from + window) / 1000) * 1000, now + 1)
    listing.tape.each(from, to, visit)
    from = to
    window = Math.min(window * 2, longestWindow)
  }
  const last = rows[request.count - 1]?.second
  return last === undefined ? rows : rows.filter(({ second }, index) => index < request.count || second === last)
}

const backward = (request: HistoricalTicksRequest, what: What, listing: Listing, end: number) => {
  const write = writer(request, what, listing)
  const earliest = listing.instrument.listedAt
  let rows: Array<Row> = []
  let window = firstWindow
  for (let to = end; to > earliest && rows.length <= request.count; ) {
    const from = Math.max(earliest, Math.floor((to - window) / 1000) * 1000)
    const earlier: Array<Row> = []
    listing.tape.each(from, to, write(earlier))
    rows = [...earlier, ...rows]
    to = from
    window = Math.min(window * 2, longestWindow)
  }
  const first = rows.at(-request.count)?.second
  const dropped = rows.length - request.count
  return first === undefined ? rows : rows.filter(({ second }, index) => index >= dropped || second === first)
}

const problemOf = ({ count, end, start, what }: HistoricalTicksRequest): string | null => {
  if (count < 1 || count > most) return `the number of ticks must be 1 to ${most}`
  if ((start === "") === (end === "")) return "exactly one of start and end has to be said"
  return isWhat(what) ? null : `${what} is no kind of tick`
}

const serve = (connection: Connection, request: HistoricalTicksRequest, listing: Listing): void => {
  const { reqId, what } = request
  const now = connection.gateway.time.now()
  const { clock } = listing.instrument.hours
  const start = request.start === "" ? null : readInstant(request.start, clock, now)
  const end = request.end === "" ? null : readInstant(request.end, clock, now)
  if (!isWhat(what) || (start === null && end === null)) {
    connection.error(reqId, 321, "Error validating request.-'cs' : cause - Not a date and time")
    return
  }
  const emptied = isEmptied(connection)
  if (emptied || (what === "TRADES" && !listing.instrument.trades)) {
    noData(connection, reqId, listing, what)
    return
  }
  const rows =
    start !== null
      ? forward(request, what, listing, start, now)
      : backward(request, what, listing, Math.min(end ?? now, now + 1))
  connection.send(
    ticksMessage(
      messages[what],
      reqId,
      rows.map(({ text }) => text),
      true
    )
  )
}

export const historicalTicks: Handlers = {
  96: (connection, fields) => {
    const request = readHistoricalTicks(fields)
    const { end, reqId, spec, start, what } = request
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const problem = problemOf(request)
    if (problem !== null) {
      connection.error(reqId, 321, `Error validating request.-'cs' : cause - ${problem}`)
      return
    }
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const contract = `${listing.instrument.name} ${spec.exchange}`
    const kind = what === "BID_ASK" ? "bidAsk" : "trade"
    const said = ["ticks", contract, start, end, request.count, what].join("|")
    if (!isPaced(connection, reqId, 1_000, kind, contract, said)) return
    connection.gateway.whenWhole("ushmds", () => serve(connection, request, listing))
  }
}
