/** What is followed in a day, and what a simulated market had of it, spelled as live rows are. */
import type { StreamQuery } from "../../src/domain/streams/StreamKey.ts"
import type { GatewaySimulator } from "../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { Adapter } from "../../src/services/Adapter.ts"
import type { StreamSink } from "../../src/services/StreamCapability.ts"
import type { RowsOfMarket } from "./TapeCheck.ts"

const second = 1_000

const traded = ["SPY", "AAPL", "MSFT"]
const barred = ["SPY", "AAPL", "NVDA", "IBM", "JPM", "TSLA", "MSFT", "AMZN"]

/** All that an account has: quotes and bars of five seconds take the 100 lines, and three shares are followed trade by trade. */
export const streams: ReadonlyArray<StreamQuery> = [
  ...traded.map((symbol) => ({ symbol, kind: "trades" as const })),
  ...barred.map((symbol) => ({ symbol, kind: "bars" as const, timeframe: "5s" as const })),
  ...Array.from({ length: 100 - barred.length }, (_, index) => ({
    symbol: `SIM${String(index).padStart(4, "0")}`,
    kind: "quotes" as const
  }))
]

/** Of the quotes these are recorded: of a day of all of them there are more rows than say anything new. */
export const recordedQuotes: ReadonlySet<string> = new Set(["SIM0000", "SIM0030", "SIM0060", "SIM0091"])

/** IB stamps trades with whole seconds. */
export const tradesOf =
  (gateway: GatewaySimulator, symbol: string): RowsOfMarket =>
  (from, to) =>
    gateway.truth(symbol, from, to).trades.map(({ at, conditions, exchange, price, size }) => ({
      tsNs: BigInt(Math.floor(at / second)) * 1_000_000_000n,
      price,
      size,
      venue: exchange === "" ? null : exchange,
      sequence: null,
      side: null,
      conditions: conditions === "" ? null : conditions
    }))

/** A market's rows of a tape. */
export const marketOf = (gateway: GatewaySimulator, { kind, symbol }: Pick<StreamQuery, "kind" | "symbol">) =>
  kind === "trades" ? tradesOf(gateway, symbol) : barsOf(gateway, symbol)

export const barsOf =
  (gateway: GatewaySimulator, symbol: string): RowsOfMarket =>
  (from, to) =>
    gateway
      .bars(symbol, from, to, 5 * second)
      .filter(({ at }) => at >= from && at < to)
      .map(({ at, ...figures }) => ({ ts: at, ...figures }))

/** An adapter that loses one trade on its way. */
export const losing = (adapter: Adapter): Adapter => {
  const { stream } = adapter
  if (stream === undefined) return adapter
  let seen = 0
  return {
    ...adapter,
    stream: {
      ...stream,
      open: (key, sink) => {
        const lossy: StreamSink = {
          ...sink,
          row: (row) => {
            if (key.kind === "trades" && ++seen === 100) return
            sink.row(row)
          }
        }
        return stream.open(key, lossy)
      }
    }
  }
}
