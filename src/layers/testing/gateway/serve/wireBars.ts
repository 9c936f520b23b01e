import type { WireBar } from "../codec/history.ts"
import type { BarPrice, TapeBar } from "../market/bars.ts"
import { type Instrument, priceOf } from "../market/Instrument.ts"

const kinds: Readonly<Record<string, BarPrice>> = {
  TRADES: "trade",
  ADJUSTED_LAST: "trade",
  MIDPOINT: "midpoint",
  BID: "bid",
  ASK: "ask",
  BID_ASK: "bidAsk"
}

export const priceKind = (what: string): BarPrice | null => kinds[what] ?? null

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6

export const wireBar = (instrument: Instrument, kind: BarPrice, bar: TapeBar, time: string): WireBar => {
  const isTrades = kind === "trade"
  const price = (ticks: number) => rounded(priceOf(instrument, ticks))
  const mean = bar.volume === 0 ? bar.close : bar.value / bar.volume
  return {
    time,
    open: price(bar.open),
    high: price(bar.high),
    low: price(bar.low),
    close: price(bar.close),
    volume: isTrades ? bar.volume : -1,
    mean: isTrades ? price(mean) : -1,
    count: isTrades ? bar.count : -1
  }
}
