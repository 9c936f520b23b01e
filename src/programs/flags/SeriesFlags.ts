/** The flags that say which series is meant. The adapter fills in what is not said. */
import { Effect, Option } from "effect"
import { Argument, Flag } from "effect/cli"
import { Adjustment, type PriceBasis, type SeriesKey, SessionScope } from "../../domain/SeriesKey.ts"
import { Timeframe } from "../../domain/Timeframe.ts"
import type { SeriesQuery } from "../../services/Adapter.ts"
import { StitchingCache } from "../../services/StitchingCache.ts"

// The price of no market side is for kinds that are not made of prices; bars always are.
const prices = ["trade", "bid", "ask", "mid"] as const satisfies ReadonlyArray<typeof PriceBasis.Type>

export const seriesFlags = {
  symbol: Argument.String("symbol").pipe(Argument.withDescription("The symbol, in the vendor's spelling")),
  vendor: Flag.String("vendor").pipe(
    Flag.withMetavar("VENDOR"),
    Flag.withDescription(
      "Whose data; 'tapestry vendors list' names them. bars takes several, A,B: the first that gives it"
    )
  ),
  timeframe: Flag.Literals("timeframe", Timeframe.literals).pipe(
    Flag.withMetavar("TIMEFRAME"),
    Flag.withDescription("Length of a bar")
  ),
  price: Flag.Literals("price", prices).pipe(
    Flag.withDescription("Which side of the market the prices are; the vendor's own default unless given"),
    Flag.optional
  ),
  session: Flag.Literals("session", SessionScope.literals).pipe(
    Flag.withDescription("Which part of the trading day"),
    Flag.optional
  ),
  adjustment: Flag.Literals("adjustment", Adjustment.literals).pipe(
    Flag.withDescription("Which corporate actions are worked into the prices"),
    Flag.optional
  ),
  currency: Flag.String("currency").pipe(
    Flag.withMetavar("CODE"),
    Flag.withDescription("The currency, where a symbol trades in several"),
    Flag.optional
  ),
  dataset: Flag.String("dataset").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("The dataset, where the vendor has several"),
    Flag.optional
  )
}

export interface SeriesInput {
  readonly symbol: string
  readonly vendor: string
  readonly timeframe: Timeframe
  readonly price: Option.Option<typeof PriceBasis.Type>
  readonly session: Option.Option<typeof SessionScope.Type>
  readonly adjustment: Option.Option<typeof Adjustment.Type>
  readonly currency: Option.Option<string>
  readonly dataset: Option.Option<string>
}

/** All that the flags say of a series but its symbol. */
export const partsOf = (input: Omit<SeriesInput, "symbol" | "vendor">): Omit<SeriesQuery, "symbol"> => ({
  kind: "bar",
  timeframe: input.timeframe,
  ...Option.match(input.price, { onNone: () => ({}), onSome: (price) => ({ price }) }),
  ...Option.match(input.session, { onNone: () => ({}), onSome: (session) => ({ session }) }),
  ...Option.match(input.adjustment, { onNone: () => ({}), onSome: (adjustment) => ({ adjustment }) }),
  ...Option.match(input.currency, { onNone: () => ({}), onSome: (currency) => ({ currency }) }),
  ...Option.match(input.dataset, { onNone: () => ({}), onSome: (dataset) => ({ dataset }) })
})

const queryOf = (input: SeriesInput): SeriesQuery => ({ ...partsOf(input), symbol: input.symbol })

/** The key of the series, as the vendor's adapter spells it. */
export const seriesOf = Effect.fnUntraced(function* (input: SeriesInput) {
  const cache = yield* StitchingCache
  return yield* cache.resolve(input.vendor, queryOf(input))
})

/** `SPX 1d`, with whatever sets the series apart from the plain one. */
export const titleOf = (series: SeriesKey): string =>
  [
    series.symbol,
    series.timeframe ?? series.kind,
    ...(series.price === "trade" || series.price === "none" ? [] : [series.price]),
    ...(series.session === "extended" ? [series.session] : []),
    ...(series.adjustment === "raw" ? [] : [`adjusted for ${series.adjustment}`])
  ].join(" ")
