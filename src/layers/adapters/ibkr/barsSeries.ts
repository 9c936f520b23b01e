/** What a user means by a series of bars, in IB's terms; or why IB has none such, and what it has. */
import { Result } from "effect"
import type { SeriesKey } from "../../../domain/SeriesKey.ts"
import { NotFound, type SeriesQuery, Unsupported } from "../../../services/Adapter.ts"
import { type BarTimeframe, barTerms, isBarTimeframe } from "./barTerms.ts"
import { type ContractName, contractNamed } from "./contract.ts"

export interface BarsSeries {
  readonly key: SeriesKey & { readonly timeframe: BarTimeframe }
  readonly name: ContractName
}

const unsupported = (message: string) => Result.fail(new Unsupported({ message }))

const has = Object.keys(barTerms).join(", ")

/** The key that a query means; what it leaves open is trades of the regular session, and of currencies the middle of all hours. */
export const barsSeriesOf = (vendor: string, query: SeriesQuery): Result.Result<BarsSeries, Unsupported | NotFound> => {
  const { timeframe } = query
  if (query.kind !== "bar") return unsupported(`its series are of bars, not of ${query.kind}`)
  if (timeframe === null) return unsupported(`a bar has a timeframe; it has ${has}`)
  if (!isBarTimeframe(timeframe)) return unsupported(`no bars of ${timeframe}; it has ${has}`)
  if (query.dataset !== undefined)
    return unsupported("it has no datasets; the exchange is part of the symbol: AAPL@NASDAQ")
  if (query.adjustment !== undefined && query.adjustment !== "splits") {
    return unsupported(`IB's bars are adjusted for splits; ${query.adjustment} is not to be had`)
  }
  if (query.session === "extended")
    return unsupported("the hours outside the regular session alone are not to be had; ask for all")
  const named = contractNamed(query.symbol, query.currency ?? null)
  if (Result.isFailure(named)) return Result.fail(new NotFound({ message: named.failure }))
  const name = named.success
  const isPair = name.secType === "CASH"
  const price = query.price ?? (isPair ? "mid" : "trade")
  if (price === "none") return unsupported("a bar has a price: trade, bid, ask or mid")
  if (price === "trade" && isPair) return unsupported("IB has no trades of currencies; ask for mid, bid or ask")
  return Result.succeed({
    name,
    key: {
      vendor,
      dataset: null,
      symbol: name.symbol,
      kind: "bar",
      timeframe,
      price,
      session: query.session ?? (isPair ? "all" : "regular"),
      currency: name.contract.currency ?? null,
      adjustment: "splits"
    }
  })
}

/** A key may come from anywhere; only one that a query gives is asked for. */
export const asBarsSeries = (key: SeriesKey): Result.Result<BarsSeries, Unsupported | NotFound> => {
  const { adjustment, currency, dataset, kind, price, session, symbol, timeframe, vendor } = key
  return Result.flatMap(
    barsSeriesOf(vendor, {
      symbol,
      kind,
      timeframe,
      price,
      session,
      adjustment,
      ...(dataset === null ? {} : { dataset }),
      ...(currency === null ? {} : { currency })
    }),
    (series) =>
      series.key.symbol === symbol
        ? Result.succeed(series)
        : Result.fail(new NotFound({ message: `${symbol} is written ${series.key.symbol}` }))
  )
}
