/** What a gateway is asked for a live stream of an instrument, and what becomes of what it answers. */
import { type Bar, defectOf } from "../../../domain/Bar.ts"
import type { StreamKey } from "../../../domain/streams/StreamKey.ts"
import type { AccountKind, StreamKind } from "../../../domain/streams/StreamKind.ts"
import type { StreamSink } from "../../../services/StreamCapability.ts"
import { BookState } from "./BookState.ts"
import type { ContractName } from "./contract.ts"
import type { Session } from "./IbkrSessionLive.ts"
import type { LineSpec } from "./LineSpec.ts"
import { lineTeller, type TellerDeps } from "./LineTeller.ts"
import { bulletinOf, firstOf, headlineOf } from "./newsOf.ts"
import { numberOf, sizeOf } from "./numbers.ts"
import { TickerState } from "./TickerState.ts"
import { tradeOf } from "./tradeOf.ts"

const second = 1000

/** -1 is IB's word for what it does not have. */
const known = (value: number | null): number | null => (value === -1 ? null : value)

/** Whatever came may have been a row: it is had from the history, as what a gap leaves out is. */
const unreadable = (what: string, why = ""): string => `${what} that came cannot be read${why}`

/** Rows on each side of a book: unless stated, and at most. */
export const usualRows = 10
export const mostRows = 60

interface Deps extends TellerDeps {
  readonly session: Pick<Session, "vendorNow" | "ourNow">
}

export const lineOf = (
  deps: Deps,
  { params }: Pick<StreamKey, "params">,
  kind: Exclude<StreamKind, AccountKind>,
  { contract, symbol }: ContractName,
  sink: StreamSink
): LineSpec => {
  const { came, ...tell } = lineTeller(deps, sink)
  const { ourNow } = deps.session
  const what = `${kind} of ${symbol}`
  switch (kind) {
    case "quotes": {
      const state = new TickerState()
      return {
        ...tell,
        what,
        type: "quotes",
        sort: "market-data",
        send: (api, id) => api.reqMktData(id, contract, "", false, false),
        cancel: (api, id) => api.cancelMktData(id),
        // Only who is asked again tells everything: a gateway that has its data back goes on with what changes.
        began: () => {
          state.clear()
          tell.began()
        },
        tickPrice: (type, price) => state.price(type, price),
        tickSize: (type, size) => state.size(type, size),
        // IB stamps no quote: it is of when it was received.
        frameEnd: () => {
          const ticker = state.take(ourNow())
          if (ticker === null) return
          came()
          sink.row(ticker)
        }
      }
    }
    case "trades":
      return {
        ...tell,
        what,
        type: "trades",
        sort: "tick-by-tick",
        send: (api, id) => api.reqTickByTickData(id, contract, "AllLast", 0, false),
        cancel: (api, id) => api.cancelTickByTickData(id),
        trade: (time, price, size, exchange, conditions) => {
          const trade = tradeOf(time, numberOf(price), sizeOf(size), exchange, conditions)
          if (trade === null) return tell.broke(unreadable("a trade"))
          came()
          sink.row(trade)
        }
      }
    case "depth": {
      const { rows: asked = usualRows } = params
      const rows = Number(asked)
      const book = new BookState(rows)
      // A book of all venues is asked for by a flag; that of one is the one it names.
      const smart = contract.exchange === "SMART"
      return {
        ...tell,
        what,
        type: "depth",
        sort: "depth",
        send: (api, id) => api.reqMktDepth(id, contract, rows, smart),
        cancel: (api, id) => api.cancelMktDepth(id, smart),
        began: () => {
          book.clear()
          tell.began()
        },
        broke: (reason) => {
          book.tear()
          tell.broke(reason)
        },
        reset: () => book.clear(),
        depth: (place, operation, side, price, size) => book.change(place, operation, side, price, size),
        // A book that is begun comes row by row: it is told when all rows that came at once are in it.
        burstEnd: () => {
          const taken = book.take(ourNow())
          if (taken === null) return
          came()
          sink.row(taken)
        }
      }
    }
    case "news": {
      const isFirst = firstOf()
      return {
        ...tell,
        what,
        type: "news",
        sort: "market-data",
        // Headlines alone: without `mdoff` the quotes come, too.
        send: (api, id) => api.reqMktData(id, contract, "mdoff,292", false, false),
        cancel: (api, id) => api.cancelMktData(id),
        news: (at, id, headline) => {
          const row = headlineOf(at, id, headline)
          if (row === null || !isFirst(row)) return
          came()
          sink.row(row)
        }
      }
    }
    case "bars":
      return {
        ...tell,
        what,
        type: "bars",
        sort: "market-data",
        send: (api, id) =>
          api.reqRealTimeBars(id, contract, 5, contract.secType === "CASH" ? "MIDPOINT" : "TRADES", false),
        cancel: (api, id) => api.cancelRealTimeBars(id),
        bar: (time, open, high, low, close, volume, vwap, count) => {
          const row: Bar = {
            ts: time * second,
            open,
            high,
            low,
            close,
            volume: known(sizeOf(volume)),
            vwap: known(numberOf(vwap)),
            count: known(sizeOf(count))
          }
          const defect = defectOf(row, { allowNonPositivePrices: true })
          if (defect !== null) return tell.broke(unreadable("a bar", `: ${defect}`))
          came()
          sink.row(row)
        }
      }
  }
}

/** IB's own bulletins, those of the day first. There is one subscription to them a client, and it has no number. */
export const bulletinLine = (deps: Deps, sink: StreamSink): LineSpec => {
  const { came, ...tell } = lineTeller(deps, sink)
  const isFirst = firstOf()
  return {
    ...tell,
    what: "bulletins",
    type: "news",
    sort: null,
    send: (api) => api.reqNewsBulletins(true),
    cancel: (api) => api.cancelNewsBulletins(),
    bulletin: (number, text, exchange) => {
      const row = bulletinOf(number, text, exchange, deps.session.ourNow())
      if (row === null || !isFirst(row)) return
      came()
      sink.row(row)
    }
  }
}
