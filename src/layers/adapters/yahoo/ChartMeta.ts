import { Result, Schema } from "effect"

const Period = Schema.Struct({ start: Schema.Int, end: Schema.Int })
const Days = Schema.Array(Schema.Array(Period))

/** What a chart says of its instrument. Instants are epoch seconds. */
const Meta = Schema.Struct({
  /** Null for some instruments; `GBp`, `ZAc` and `ILA` are hundredths of GBP, ZAR and ILS. */
  currency: Schema.optionalKey(Schema.NullOr(Schema.String)),
  symbol: Schema.String,
  exchangeName: Schema.optionalKey(Schema.NullOr(Schema.String)),
  instrumentType: Schema.optionalKey(Schema.NullOr(Schema.String)),
  /** False: there are no rows outside of regular trading. */
  hasPrePostMarketData: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
  /** When the price of the live last row was made. `gmtoffset` is not read: it is today's, not that of a bar. */
  regularMarketTime: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  exchangeTimezoneName: Schema.String,
  dataGranularity: Schema.String,
  currentTradingPeriod: Schema.optionalKey(
    Schema.NullOr(
      Schema.Struct({
        pre: Schema.optionalKey(Period),
        regular: Period,
        post: Schema.optionalKey(Period)
      })
    )
  ),
  /** Intraday only: the periods of each day; one list when regular ones were asked for, three otherwise. */
  tradingPeriods: Schema.optionalKey(
    Schema.NullOr(
      Schema.Union([
        Days,
        Schema.Struct({ regular: Days, pre: Schema.optionalKey(Days), post: Schema.optionalKey(Days) })
      ])
    )
  )
})
export interface ChartMeta extends Schema.Schema.Type<typeof Meta> {}
export type Period = typeof Period.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Meta))

/** The meta of a chart; fails with a sentence. */
export const chartMeta = (text: string): Result.Result<ChartMeta, string> =>
  Result.mapError(
    decode(text),
    (error) => `chart.result[0].meta cannot be read: ${error.message.split("\n").join(" ")}`
  )

/** Units in which prices are quoted that are a hundredth of a currency. Nothing is ever divided because of it. */
const hundredths: Readonly<Record<string, string>> = { GBp: "GBP", GBX: "GBP", ZAc: "ZAR", ILA: "ILS" }

/** The currency of which the unit is a hundredth; null when prices are in whole units. */
export const hundredthOf = (currency: string): string | null => hundredths[currency] ?? null
