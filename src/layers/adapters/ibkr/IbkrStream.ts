/**
 * Live data of a gateway: which streams there are, what they are called, and where their past is.
 *
 * The session mends its connection, and each stream tells of it: Gap when what happens no longer comes, Resumed when it was asked for
 * again. Instants are the gateway's, which tells whole seconds: from when on all comes is said a second too late rather than too
 * early, so that what happened in between is had from history.
 */
import { Effect, type Scope, Stream } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { onlyAccount, type StreamKey, type StreamQuery } from "../../../domain/streams/StreamKey.ts"
import { isOfAccount, type StreamKind } from "../../../domain/streams/StreamKind.ts"
import { NotFound, Unsupported, VendorError, type VendorErrorReason } from "../../../services/Adapter.ts"
import type { HistoryPage, StreamCapability } from "../../../services/StreamCapability.ts"
import { accountMeant } from "../accountMeant.ts"
import { make as makeAccountStreams } from "./accountStreams.ts"
import { barsSeriesOf } from "./barsSeries.ts"
import { contractNamed } from "./contract.ts"
import type { Session } from "./IbkrSessionLive.ts"
import { decodePage, ticksDelay } from "./ibkrTicks.ts"
import { bulletinLine, lineOf, mostRows, usualRows } from "./instrumentLines.ts"
import { vendorReason } from "./reasons.ts"
import { ticksRequest } from "./ticksRequest.ts"

const kinds: ReadonlyArray<StreamKind> = ["quotes", "trades", "depth", "bars", "news", "portfolio", "account", "pnl"]

const second = 1000

interface Deps {
  readonly vendor: string
  readonly session: Pick<Session, "subscribe" | "changes" | "ready" | "state" | "vendorNow" | "ourNow" | "connection">
  /** How long the vendor is left alone when it was asked too much. */
  readonly rest: number
}

/** News of no instrument in particular: IB's bulletins. */
const everything = "*"

const newsSeries = (vendor: string, symbol: string): SeriesKey => ({
  vendor,
  dataset: null,
  symbol,
  kind: "news",
  timeframe: null,
  price: "none",
  session: "all",
  currency: null,
  adjustment: "raw"
})

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
    const extra = Object.keys(params).filter((name) => kind !== "depth" || name !== "rows")
    if (extra.length > 0) {
      const message = `no parameter ${extra.join(", ")}; depth has rows, and the exchange is part of the symbol`
      return yield* because(new Unsupported({ message }))
    }
    const { rows = String(usualRows) } = params
    if (kind === "depth" && !(/^[1-9]\d?$/.test(rows) && Number(rows) <= mostRows)) {
      return yield* because(new Unsupported({ message: `a book has 1 to ${mostRows} rows on each side, not ${rows}` }))
    }
    if (kind === "bars" && timeframe !== undefined && timeframe !== "5s") {
      return yield* because(new Unsupported({ message: `live bars are of 5s, not of ${timeframe}` }))
    }
    if (isOfAccount(kind)) {
      return { vendor, symbol: yield* accountOf(symbol), kind, timeframe: null, params: {} } satisfies StreamKey
    }
    if (kind === "news" && symbol.trim() === everything) {
      return { vendor, symbol: everything, kind, timeframe: null, params: {} } satisfies StreamKey
    }
    const name = yield* named(symbol)
    if (kind === "trades" && name.secType === "CASH") {
      return yield* because(new Unsupported({ message: "IB has no trades of currencies" }))
    }
    const found: StreamKey = {
      vendor,
      symbol: name.symbol,
      kind,
      timeframe: kind === "bars" ? "5s" : null,
      params: kind === "depth" ? { rows } : {}
    }
    return found
  })

  return {
    kinds,
    timeframes: ["5s"],
    lateness: 0,
    connection: session.connection,
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
      const line =
        asked.symbol === everything
          ? bulletinLine(deps, sink)
          : lineOf(deps, asked, kind, yield* named(asked.symbol), sink)
      yield* Effect.mapError(session.subscribe(line), ({ reason }) => because(vendorReason(reason, deps.rest)))
    }),
    // Streams that were wanted before there was a gateway are asked for when there is one, all at once.
    reopen: Effect.gen(function* () {
      if ((yield* session.state)._tag === "Ready") return yield* Effect.never
      yield* Stream.runHead(Stream.filter(session.changes, ({ _tag }) => _tag === "Ready"))
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
        delay: ticksDelay,
        // The gateway's clock is known to half a second, and trades have whole ones.
        overlap: 2 * second,
        request: (range) =>
          Effect.map(named(symbol), ({ contract }) => ticksRequest(symbol, "TRADES", contract, range)),
        // Pages of trades have trades.
        decode: (payload, request, range) =>
          decodePage(vendor, payload, request, range) as Effect.Effect<HistoryPage, VendorError>
      }
    },
    series: ({ kind, symbol }) => {
      if (kind === "news") return newsSeries(vendor, symbol)
      if (kind === "depth" || isOfAccount(kind)) return null
      const bars = barSeries(symbol)
      if (bars === null) return null
      return kind === "bars"
        ? bars
        : { ...bars, kind: kind === "trades" ? "trade" : "quote", timeframe: null, adjustment: "raw" }
    }
  }
})
