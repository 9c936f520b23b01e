/** Single trades and quotes of the past as a request to IB, and back. */
import { Option, Schema } from "effect"
import { iso, type TimeRange } from "../../../domain/TimeRange.ts"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { instantText } from "./barTerms.ts"
import type { IbContract } from "./GatewayApi.ts"

const TicksShown = Schema.Literals(["TRADES", "BID_ASK"])
export type TicksShown = typeof TicksShown.Type

const TicksParams = Schema.Struct({
  symbol: Schema.String,
  /** The end of the range that the pages are of, and where this page begins in it. */
  from: Schema.String,
  end: Schema.String,
  query: Schema.Struct({
    contract: Schema.Record(Schema.String, Schema.Json),
    startDateTime: Schema.String,
    count: Schema.Int,
    whatToShow: TicksShown,
    useRth: Schema.Boolean
  })
})
export interface TicksParams extends Schema.Schema.Type<typeof TicksParams> {}

const decode = Schema.decodeUnknownOption(TicksParams)

export const kind = "ticks"

/** IB gives no more at once, but for those that share the last one's second. */
const pageRows = 1000

export const ticksParams = (request: Pick<VendorRequest, "kind" | "params">): TicksParams | null =>
  request.kind === kind ? Option.getOrNull(decode(request.params)) : null

/** A page from the second in which the range begins. IB counts one of bids and asks double. */
export const ticksRequest = (
  symbol: string,
  whatToShow: TicksShown,
  contract: IbContract | TicksParams["query"]["contract"],
  range: TimeRange
): VendorRequest => {
  const start = instantText(Math.floor(range.start / 1000) * 1000)
  const params: TicksParams = {
    symbol,
    from: iso(range.start),
    end: iso(range.end),
    query: { contract: { ...contract }, startDateTime: start, count: pageRows, whatToShow, useRth: false }
  }
  const quotes = whatToShow === "BID_ASK"
  const of = `${symbol}/ticks/${whatToShow}`
  return {
    kind,
    method: "COMMAND",
    params: { ...params },
    body: null,
    weight: quotes ? 2 : 1,
    keys: { history: "all", contract: of, [quotes ? "identicalQuotes" : "identical"]: `${of}/${start}` }
  }
}
