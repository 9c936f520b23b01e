/** Requests of this adapter as questions to a gateway. */
import type { VendorRequest } from "../../../services/Adapter.ts"
import { barsParams } from "./BarsRequest.ts"
import { fieldsOf, messageIds } from "./frames.ts"
import { lookupQuestion } from "./lookups.ts"
import type { Question } from "./Question.ts"
import { ticksParams } from "./ticksRequest.ts"

/** Times of bars as seconds since 1970, which no zone of a gateway changes. */
const epoch = 2

/** Null: no request of this adapter. `within` milliseconds an answer may take. */
export const questionOf = (request: Pick<VendorRequest, "kind" | "params">, within: number): Question | null => {
  const ticks = ticksParams(request)
  if (ticks !== null) {
    const { contract, count, startDateTime, useRth, whatToShow } = ticks.query
    return {
      line: "history",
      within,
      what: `${whatToShow === "TRADES" ? "trades" : "bids and asks"} of ${ticks.symbol}`,
      messageIds: [whatToShow === "TRADES" ? messageIds.historicalTicksLast : messageIds.historicalTicksBidAsk],
      // Its last field says whether it is the last.
      isLast: (_, frame) => fieldsOf(frame).at(-1) === "1",
      send: (api, id) => api.reqHistoricalTicks(id, contract, startDateTime, null, count, whatToShow, useRth, false)
    }
  }
  const bars = barsParams(request)
  if (bars === null) return lookupQuestion(request, within)
  const { barSize, contract, duration, endDateTime, useRth, whatToShow } = bars.query
  return {
    line: "history",
    within,
    what: `bars of ${bars.symbol}`,
    messageIds: [messageIds.historicalData],
    isLast: () => true,
    send: (api, id) =>
      api.reqHistoricalData(id, contract, endDateTime, duration, barSize, whatToShow, useRth, epoch, false),
    cancel: (api, id) => api.cancelHistoricalData(id)
  }
}
