/** What a user means by a series, in Yahoo's terms; or why Yahoo has no such series, and what it has. */
import { Result } from "effect"
import type { SeriesKey, SeriesKind, SessionScope } from "../../../domain/SeriesKey.ts"
import { isIntraday } from "../../../domain/Timeframe.ts"
import { NotFound, type SeriesQuery, Unsupported } from "../../../services/Adapter.ts"
import { type ChartTimeframe, chartTimeframes, isChartTimeframe } from "./intervals.ts"
import type { YahooVendor } from "./YahooVendor.ts"

export type ChartSeries = SeriesKey & { readonly timeframe: ChartTimeframe }

/** A share `BRK-B`, an index `^GSPC`, a currency pair `EURUSD=X`, a fund `0P000071W8.TO`. */
const symbolShape = /^[A-Z0-9^][A-Z0-9.^=&_$@!~*-]{0,39}$/

/** Yahoo's spelling: upper case, no blanks around it. Null when it cannot be a symbol. */
export const normaliseSymbol = (symbol: string): string | null => {
  const text = symbol.trim().toUpperCase()
  return symbolShape.test(text) ? text : null
}

const unsupported = (message: string) => Result.fail(new Unsupported({ message }))

const sessionProblem = (timeframe: ChartTimeframe, session: SessionScope): string | null =>
  session === "regular" || isIntraday(timeframe)
    ? null
    : `bars of ${timeframe} are of the regular session; ${session} is had of shorter ones`

const adjustmentProblem = ({ adjustment, timeframe }: ChartSeries): string | null => {
  switch (adjustment) {
    case "splits":
      return null
    case "all":
      return isIntraday(timeframe)
        ? `Yahoo gives no dividend-adjusted price for bars of ${timeframe}; ask for adjustment splits, or for 1d and longer`
        : null
    case "raw":
      return timeframe === "1d"
        ? null
        : isIntraday(timeframe)
          ? `Yahoo's prices are adjusted for splits, and an intraday chart does not tell of those that came later; ask for adjustment splits, or for raw bars of 1d`
          : `a bar of ${timeframe} may have a split inside, whose two sides cannot be undone apart; ask for adjustment splits, or for raw bars of 1d`
  }
}

/** Why a key names no series of Yahoo's; null when it does. */
export const seriesProblem = (key: SeriesKey): Unsupported | NotFound | null => {
  const { kind, price, session, symbol, timeframe } = key
  if (kind !== "bar" || timeframe === null) return new Unsupported({ message: "it has bars only; ask for kind bar" })
  if (!isChartTimeframe(timeframe)) {
    return new Unsupported({ message: `no bars of ${timeframe}; it has ${chartTimeframes.join(", ")}` })
  }
  if (price !== "trade") return new Unsupported({ message: `its prices are of trades, not of ${price}` })
  if (key.dataset !== null) return new Unsupported({ message: "it has no datasets; leave the dataset out" })
  if (normaliseSymbol(symbol) !== symbol) {
    return new NotFound({ message: `${JSON.stringify(symbol)} is no symbol of Yahoo's; one looks like AAPL or BRK-B` })
  }
  const message = sessionProblem(timeframe, session) ?? adjustmentProblem({ ...key, timeframe })
  return message === null ? null : new Unsupported({ message })
}

export const asChartSeries = (key: SeriesKey): Result.Result<ChartSeries, Unsupported | NotFound> => {
  const problem = seriesProblem(key)
  if (problem !== null) return Result.fail(problem)
  const { timeframe } = key
  return timeframe !== null && isChartTimeframe(timeframe)
    ? Result.succeed({ ...key, timeframe })
    : unsupported("it has bars only")
}

const kind: SeriesKind = "bar"

/** The key that a query means; what it leaves open is the regular session, adjusted for splits, as Yahoo sends it. */
export const seriesKeyOf = (
  vendor: Pick<YahooVendor, "name" | "currency">,
  query: SeriesQuery
): Result.Result<SeriesKey, Unsupported | NotFound> => {
  if (query.kind !== kind) return unsupported(`it has bars only, not ${query.kind}`)
  if (query.timeframe === null) return unsupported(`a bar has a timeframe; it has ${chartTimeframes.join(", ")}`)
  const key: SeriesKey = {
    vendor: vendor.name,
    dataset: query.dataset ?? null,
    symbol: normaliseSymbol(query.symbol) ?? query.symbol,
    kind,
    timeframe: query.timeframe,
    price: query.price ?? "trade",
    session: query.session ?? "regular",
    currency: query.currency ?? vendor.currency,
    adjustment: query.adjustment ?? "splits"
  }
  return asChartSeries(key)
}
