/** Bars and ticks of the past, out of the tape that live data comes from. */
import {
  type HistoryRequest,
  historicalData,
  historicalUpdate,
  readHead,
  readHistory,
  type WireBar
} from "../codec/history.ts"
import type { BarPrice } from "../market/bars.ts"
import type { BarQuery, Listing } from "../market/Market.ts"
import { cancel, type Task } from "../VirtualTime.ts"
import { message } from "../wire/text.ts"
import { dateText, inGmt, readInstant, zoned } from "../wire/zoned.ts"
import { beginOf, isTooLong, lengthOf, sizeOf } from "./barPeriods.ts"
import type { Connection } from "./Connection.ts"
import { listingFor, wasRead } from "./found.ts"
import type { Handlers } from "./handlers.ts"
import type { Subscription } from "./Subscription.ts"
import { priceKind, wireBar } from "./wireBars.ts"

const failure = "Historical Market Data Service error message:"

interface Query extends BarQuery {
  readonly end: number
}

const invalid = (connection: Connection, reqId: number, cause: string): null => {
  connection.error(reqId, 321, `Error validating request.-'bW' : cause - ${cause}`)
  return null
}

const queryOf = (connection: Connection, request: HistoryRequest, { instrument }: Listing): Query | null => {
  const { keepUpToDate, regular, reqId } = request
  const now = connection.gateway.time.now()
  const [length, price, size] = [lengthOf(request.duration), priceKind(request.what), sizeOf(request.barSize)]
  const { hours } = instrument
  const end = readInstant(request.end, hours.clock, now)
  if (size === null) return invalid(connection, reqId, `${request.barSize} is no bar size`)
  if (length === null) return invalid(connection, reqId, `${request.duration} is no duration`)
  if (price === null) return invalid(connection, reqId, `${request.what} is no kind of bar`)
  if (end === null) return invalid(connection, reqId, `${request.end} is no date and time`)
  if (keepUpToDate && request.end !== "") return invalid(connection, reqId, "what is kept up to date has no end")
  if (isTooLong(length, size)) {
    connection.error(reqId, 162, `${failure}Time length exceed max.`)
    return null
  }
  const to = Math.min(end, now + 1)
  const from = beginOf(length, Math.min(end, now), hours, regular)
  return { from, to, end: Math.min(end, now), size, price, regular }
}

const timeOf = ({ instrument }: Listing, at: number, size: BarQuery["size"], epoch: boolean): string => {
  if (typeof size !== "number") return dateText(at)
  const { hours } = instrument
  return epoch ? String(Math.floor(at / 1000)) : zoned(at, hours.zone, hours.clock)
}

const wireBars = (listing: Listing, query: BarQuery, epoch: boolean): ReadonlyArray<WireBar> =>
  listing
    .bars(query)
    .map((bar) => wireBar(listing.instrument, query.price, bar, timeOf(listing, bar.at, query.size, epoch)))

/** A request that is not answered yet, or whose last bar goes on. */
class HistoryLine implements Subscription {
  readonly reqId: number
  readonly kind = "history"
  readonly symbol: string
  readonly farm = "ushmds"
  readonly live = false
  silent = false
  task: Task | null = null
  private readonly connection: Connection
  private readonly listing: Listing
  private readonly query: Query
  private readonly epoch: boolean
  private since: number
  private told = ""

  constructor(connection: Connection, { epoch, reqId }: HistoryRequest, listing: Listing, query: Query) {
    this.connection = connection
    this.listing = listing
    this.reqId = reqId
    this.query = query
    this.epoch = epoch
    this.symbol = listing.instrument.name
    this.since = query.from
  }

  /** Sends what there is; false when there is nothing. */
  begin(): boolean {
    const { connection, epoch, listing, query, reqId } = this
    const bars = listing.bars(query)
    const { hours } = listing.instrument
    const [from, to] = [zoned(query.from, hours.zone, hours.clock), zoned(query.end, hours.zone, hours.clock)]
    const rows = bars.map((bar) =>
      wireBar(listing.instrument, query.price, bar, timeOf(listing, bar.at, query.size, epoch))
    )
    if (rows.length === 0) return false
    this.since = bars.at(-1)?.at ?? query.from
    connection.send(historicalData(reqId, from, to, rows))
    return true
  }

  /** From now on the last bar, and those that follow it, every five seconds. */
  readonly follow = () => {
    const { time } = this.connection.gateway
    this.task = time.schedule((Math.floor(time.now() / 5_000) + 1) * 5_000, this.update)
  }

  private readonly update = () => {
    const { connection, epoch, listing, query, reqId } = this
    const now = connection.gateway.time.now()
    const from = typeof query.size === "number" ? this.since : now - 1
    const bars = wireBars(listing, { ...query, from, to: now + 1 }, epoch)
    const isKnown = bars.findIndex(({ time }) => time === this.told)
    for (const bar of bars.slice(Math.max(0, isKnown))) connection.tell(this, historicalUpdate(reqId, bar))
    this.told = bars.at(-1)?.time ?? this.told
    if (typeof query.size === "number" && bars.length > 1) this.since = now - query.size
    this.follow()
  }

  readonly stop = () => cancel(this.task)
}

const shorts = 30_000

/** Whether the rules of pacing allow it; who asks too much has been told. */
export const isPaced = (
  connection: Connection,
  reqId: number,
  size: BarQuery["size"],
  kind: BarPrice,
  contract: string,
  request: string
): boolean => {
  const { faults, settings, time } = connection.gateway
  const isSmall = typeof size === "number" && size <= shorts
  const weight = kind === "bidAsk" ? 2 : 1
  const forced = faults.historyPacing > 0
  if (forced) faults.historyPacing--
  const free = !settings.quotas.historyPacing || !isSmall
  if (!forced && (free || connection.historyPacing.admits(time.now(), request, `${contract} ${kind}`, weight))) {
    return true
  }
  connection.error(reqId, 162, `${failure}Historical data request pacing violation`)
  return false
}

/** True when a fault says that there is nothing. */
export const isEmptied = (connection: Connection): boolean => {
  const { faults } = connection.gateway
  if (faults.historyEmpty === 0) return false
  faults.historyEmpty--
  return true
}

export const noData = (connection: Connection, reqId: number, { instrument }: Listing, what: string): void =>
  connection.error(
    reqId,
    162,
    `${failure}HMDS query returned no data: ${instrument.localSymbol}@${instrument.exchange} ${what}`
  )

/** Takes a place for a request until it is answered. */
const serveHistory = (connection: Connection, request: HistoryRequest, line: HistoryLine, listing: Listing): void => {
  const { gateway } = connection
  connection.subscribe(line)
  const run = () => {
    if (connection.subscriptions.get(request.reqId) !== line) return
    if (isEmptied(connection) || !line.begin()) {
      connection.subscriptions.delete(request.reqId)
      noData(connection, request.reqId, listing, request.what)
    } else if (request.keepUpToDate) line.follow()
    else connection.subscriptions.delete(request.reqId)
  }
  const ready = () => gateway.whenWhole("ushmds", run)
  if (gateway.settings.latency === 0) ready()
  else line.task = gateway.time.schedule(gateway.time.now() + gateway.settings.latency, ready)
}

export const history: Handlers = {
  20: (connection, fields) => {
    const request = readHistory(fields)
    const { reqId, spec } = request
    if (!wasRead(connection, reqId, fields) || !connection.claims(reqId)) return
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const query = queryOf(connection, request, listing)
    if (query === null) return
    if (query.price === "trade" && !listing.instrument.trades) {
      noData(connection, reqId, listing, request.what)
      return
    }
    const { barSize, duration, end, regular, what } = request
    const { name } = listing.instrument
    const said = [name, spec.exchange, end, barSize, duration, regular, what].join("|")
    if (!isPaced(connection, reqId, query.size, query.price, `${name} ${spec.exchange}`, said)) return
    if (connection.count("history") >= connection.gateway.settings.quotas.openHistory) {
      connection.error(reqId, 162, `${failure}Too many historical requests are open`)
      return
    }
    serveHistory(connection, request, new HistoryLine(connection, request, listing, query), listing)
  },
  25: (connection, fields) => {
    fields.skip(1)
    const reqId = fields.int()
    if (!wasRead(connection, reqId, fields)) return
    const found = connection.subscriptions.get(reqId)
    if (found?.kind !== "history") {
      connection.error(reqId, 366, `No historical data query found for ticker id:${reqId}`)
      return
    }
    connection.unsubscribe(reqId, "history")
    connection.error(reqId, 162, `${failure}API historical data query cancelled: ${reqId}`)
  },
  87: (connection, fields) => {
    const { epoch, reqId, spec } = readHead(fields)
    if (!wasRead(connection, reqId, fields)) return
    const listing = listingFor(connection, reqId, spec)
    if (listing === null) return
    const { hours, listedAt } = listing.instrument
    const first = hours.at(listedAt)?.open ?? listedAt
    const text = epoch ? String(Math.floor(first / 1000)) : inGmt(first).replace(" GMT", "").replace(" ", "-")
    connection.gateway.whenWhole("ushmds", () => connection.send(message(88, reqId, text)))
  },
  90: () => {}
}
