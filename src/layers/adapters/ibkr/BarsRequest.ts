/** A range of bars as a request to IB, and back. */
import { Option, Schema } from "effect"
import { type SeriesKey, SessionScope } from "../../../domain/SeriesKey.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import { iso, type TimeRange } from "../../../domain/TimeRange.ts"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { type BarTimeframe, barTerms, isSmall, periodOf } from "./barTerms.ts"
import type { IbContract } from "./GatewayApi.ts"

/** A contract in what was asked; what is not said is not there. */
const Contract = Schema.Record(Schema.String, Schema.Json)

/** The first part is ours and names what was meant; `query` is what is sent. */
const BarsParams = Schema.Struct({
  symbol: Schema.String,
  timeframe: Timeframe,
  session: SessionScope,
  start: Schema.String,
  end: Schema.String,
  query: Schema.Struct({
    contract: Contract,
    endDateTime: Schema.String,
    duration: Schema.String,
    barSize: Schema.String,
    whatToShow: Schema.String,
    useRth: Schema.Boolean
  })
})
export interface BarsParams extends Schema.Schema.Type<typeof BarsParams> {}

const decode = Schema.decodeUnknownOption(BarsParams)

export const kind = "bars"

export const barsParams = (request: Pick<VendorRequest, "kind" | "params">): BarsParams | null =>
  request.kind === kind ? Option.getOrNull(decode(request.params)) : null

const shows = { trade: "TRADES", bid: "BID", ask: "ASK", mid: "MIDPOINT" } as const

/** The request for a range of a series that IB has. Bars of bid and ask are not counted double: those of BID_ASK are. */
export const barsRequest = (
  series: SeriesKey & { readonly timeframe: BarTimeframe },
  contract: IbContract,
  range: TimeRange
): VendorRequest => {
  const { price, session, symbol, timeframe } = series
  const { duration, end } = periodOf(timeframe, range)
  const whatToShow = price === "none" ? "TRADES" : shows[price]
  const params: BarsParams = {
    symbol,
    timeframe,
    session,
    start: iso(range.start),
    end: iso(range.end),
    query: {
      contract: { ...contract },
      endDateTime: end,
      duration,
      barSize: barTerms[timeframe].size,
      whatToShow,
      useRth: session === "regular"
    }
  }
  const of = `${symbol}/${series.currency ?? ""}/${whatToShow}`
  return {
    kind,
    method: "COMMAND",
    params: { ...params },
    body: null,
    weight: 1,
    // IB has lifted the limits of longer bars, and paces them itself.
    keys: isSmall(timeframe)
      ? { history: "all", contract: of, identical: `${of}/${timeframe}/${session}/${end}/${duration}` }
      : {}
  }
}
