/**
 * Live data of a gateway: quotes, trades as they are printed, and bars of five seconds.
 *
 * The session mends its connection, and each stream tells of it: Gap when what happens no longer comes, Resumed when it was asked for
 * again. Instants are the gateway's, which tells whole seconds: from when on all comes is said a second too late rather than too
 * early, so that what happened in between is had from history.
 */
import { Effect, type Scope } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { onlyAccount, type StreamKey, type StreamQuery } from "../../../domain/streams/StreamKey.ts"
import { isOfAccount, type StreamKind } from "../../../domain/streams/StreamKind.ts"
import { NotFound, Unsupported, VendorError, type VendorErrorReason } from "../../../services/Adapter.ts"
import type { StreamCapability, StreamSink } from "../../../services/StreamCapability.ts"
import { accountMeant } from "../accountMeant.ts"
import { make as makeAccountStreams } from "./accountStreams.ts"
import { barsSeriesOf } from "./barsSeries.ts"
import { type ContractName, contractNamed } from "./contract.ts"
import { decodeTicks } from "./decodeTicks.ts"
import type { Session } from "./IbkrSessionLive.ts"
import type { LineSpec } from "./Lines.ts"
import { lineTeller } from "./LineTeller.ts"
import { vendorReason } from "./reasons.ts"
import { TickerState } from "./TickerState.ts"
import { ticksParams, ticksRequest } from "./ticksRequest.ts"
import { tradeOf } from "./tradeOf.ts"

const ofInstruments = ["quotes", "trades", "bars"] as const
type Kind = (typeof ofInstruments)[number]
const isKind = (kind: StreamKind): kind is Kind => ofInstruments.some((one) => one === kind)
const kinds: ReadonlyArray<StreamKind> = [...ofInstruments, "portfolio", "account", "pnl"]

const second = 1000

interface Deps {
  readonly vendor: string
  readonly session: Pick<Session, "subscribe" | "ready" | "state" | "vendorNow" | "ourNow">
  /** How long the vendor is left alone when it was asked too much. */
  readonly rest: number
}

const known = (value: number): number | null => (Number.isFinite(value) && value !== -1 ? value : null)

const lineOf = (deps: Deps, kind: Kind, { contract, symbol }: ContractName, sink: StreamSink): LineSpec => {
  const { came, ...tell } = lineTeller(deps, sink)
  const { ourNow } = deps.session
  const what = `${kind} of ${symbol}`
  switch (kind) {
    case "quotes": {
      const state = new TickerState()
      return {
        ...tell,
        what,
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
        send: (api, id) => api.reqTickByTickData(id, contract, "AllLast", 0, false),
        cancel: (api, id) => api.cancelTickByTickData(id),
        trade: (time, price, size, exchange, conditions) => {
          const trade = tradeOf(time, price, size, exchange, conditions)
          if (trade === null) return
          came()
          sink.row(trade)
        }
      }
    case "bars":
      return {
        ...tell,
        what,
        send: (api, id) =>
          api.reqRealTimeBars(id, contract, 5, contract.secType === "CASH" ? "MIDPOINT" : "TRADES", false),
        cancel: (api, id) => api.cancelRealTimeBars(id),
        bar: (time, open, high, low, close, volume, vwap, count) => {
          came()
          sink.row({
            ts: time * second,
            open,
            high,
            low,
            close,
            volume: known(volume),
            vwap: known(vwap),
            count: known(count)
          })
        }
      }
  }
}

/** Lives in the scope of its maker. */
export const make = Effect.fnUntraced(function* (deps: Deps): Effect.fn.Return<StreamCapability, never, Scope.Scope> {
  const { session, vendor } = deps
  const accounts = yield* makeAccountStreams(deps)
  const because = (reason: VendorErrorReason) => new VendorError({ vendor, reason })

  const named = Effect.fnUntraced(function* (symbol: string) {
    return yield* Effect.mapError(Effect.fromResult(contractNamed(symbol, null)), (message) =>
      because(new NotFound({ message }))
    )
  })

  const barSeries = (symbol: string): SeriesKey | null => {
    const found = barsSeriesOf(vendor, { symbol, kind: "bar", timeframe: "5s", session: "all" })
    return found._tag === "Success" ? found.success.key : null
  }

  const ready = Effect.mapError(session.ready, ({ reason }) => because(vendorReason(reason, deps.rest)))

  /** One that is named is taken as it is while there is no gateway to ask; `open` asks. */
  const accountOf = Effect.fnUntraced(function* (symbol: string) {
    const now = yield* session.state
    const known = now._tag === "Ready" || now._tag === "Degraded"
    if (!known && symbol.trim().toLowerCase() !== onlyAccount) return symbol.trim().toUpperCase()
    const { accounts: managed } = yield* ready
    return yield* Effect.mapError(Effect.fromResult(accountMeant(symbol, managed)), because)
  })

  const key = Effect.fnUntraced(function* ({ kind, params = {}, symbol, timeframe }: StreamQuery) {
    if (Object.keys(params).length > 0) {
      return yield* because(
        new Unsupported({ message: "its streams have no parameters; the exchange is part of the symbol" })
      )
    }
    if (kind === "bars" && timeframe !== undefined && timeframe !== "5s") {
      return yield* because(new Unsupported({ message: `live bars are of 5s, not of ${timeframe}` }))
    }
    if (isOfAccount(kind)) {
      return { vendor, symbol: yield* accountOf(symbol), kind, timeframe: null, params: {} } satisfies StreamKey
    }
    if (!isKind(kind))
      return yield* because(new Unsupported({ message: `no live ${kind}; it has ${kinds.join(", ")}` }))
    const name = yield* named(symbol)
    if (kind === "trades" && name.secType === "CASH") {
      return yield* because(new Unsupported({ message: "IB has no trades of currencies" }))
    }
    const found: StreamKey = { vendor, symbol: name.symbol, kind, timeframe: kind === "bars" ? "5s" : null, params: {} }
    return found
  })

  return {
    kinds,
    timeframes: ["5s"],
    lateness: 0,
    key,
    open: Effect.fn("IbkrStream.open")(function* (asked, sink) {
      const { kind } = asked
      if (isOfAccount(kind)) {
        const { accounts: managed } = yield* ready
        const account = yield* Effect.mapError(Effect.fromResult(accountMeant(asked.symbol, managed)), because)
        return yield* Effect.mapError(accounts.open(kind, account, sink), ({ reason }) =>
          because(vendorReason(reason, deps.rest))
        )
      }
      if (!isKind(kind)) return yield* because(new Unsupported({ message: `no live ${kind}` }))
      const name = yield* named(asked.symbol)
      yield* Effect.mapError(session.subscribe(lineOf(deps, kind, name, sink)), ({ reason }) =>
        because(vendorReason(reason, deps.rest))
      )
    }),
    silence: () => null,
    history: ({ kind, symbol }) => {
      if (kind === "bars") {
        const series = barSeries(symbol)
        return series === null ? null : { _tag: "series", series, delay: 10 * second, overlap: 0 }
      }
      if (kind !== "trades") return null
      return {
        _tag: "requests",
        delay: 2 * second,
        // The gateway's clock is known to half a second, and trades have whole ones.
        overlap: 2 * second,
        request: (range) => Effect.map(named(symbol), ({ contract }) => ticksRequest(symbol, contract, range)),
        decode: Effect.fnUntraced(function* (payload, request, range) {
          const params = ticksParams(request)
          if (params === null) return yield* because(new Unsupported({ message: "no request for trades" }))
          return yield* Effect.mapError(decodeTicks(payload, params, range), because)
        }),
        decoderVersion: 1
      }
    },
    series: ({ kind, symbol }) => {
      if (!isKind(kind)) return null
      const bars = barSeries(symbol)
      if (bars === null) return null
      return kind === "bars"
        ? bars
        : { ...bars, kind: kind === "trades" ? "trade" : "quote", timeframe: null, adjustment: "raw" }
    }
  }
})
