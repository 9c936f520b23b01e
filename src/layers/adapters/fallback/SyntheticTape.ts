/** Quotes and prints that nobody made, so that a demonstration goes on while a vendor does not send. Each says so: its venue is SYNTHETIC. */
import type { Trade } from "../../../domain/records/Trade.ts"
import type { StreamRow, Ticker } from "../../../domain/streams/StreamRow.ts"
import type { TimeRange } from "../../../domain/TimeRange.ts"
import { type ModelTape, middleAt, printsIn, tickersIn } from "../../testing/ModelTape.ts"

/** The kinds of which there are synthetic rows: nobody's account and nobody's book is made up. */
export const syntheticKinds = ["quotes", "trades"] as const
export type SyntheticKind = (typeof syntheticKinds)[number]

const venue = "SYNTHETIC"

export interface SyntheticTape {
  /** All rows of a kind whose millisecond is in the range, ascending. */
  readonly rowsIn: (kind: SyntheticKind, range: TimeRange) => ReadonlyArray<StreamRow>
}

/** Digits behind the point, two to six. */
const digitsOf = (price: number): number => Math.min(6, Math.max(2, (String(price).split(".")[1] ?? "").length))

/** `near`: where the prices go on from at the second `from`; null: anywhere. */
export const make = (
  { rate, seed }: Pick<ModelTape, "rate" | "seed">,
  symbol: string,
  from: number,
  near: number | null
): SyntheticTape => {
  const tape: ModelTape = { seed, rate, resolution: 0.000_001, numbered: true }
  const digits = near === null ? 2 : digitsOf(near)
  const factor = near === null || near <= 0 ? 1 : near / (middleAt(seed, symbol, from) / 100)
  const priced = <P extends number | null>(price: P): P =>
    (price === null ? null : Number((price * factor).toFixed(digits))) as P
  const trade = ({ price, ...rest }: Trade): Trade => ({ ...rest, price: priced(price), sequence: null, venue })
  const ticker = ({ ask, bid, last, ...rest }: Ticker): Ticker => ({
    ...rest,
    bid: priced(bid),
    ask: priced(ask),
    last: priced(last),
    sequence: null,
    venue
  })
  return {
    rowsIn: (kind, range) =>
      kind === "quotes" ? tickersIn(tape, symbol, range).map(ticker) : printsIn(tape, symbol, range).map(trade)
  }
}
