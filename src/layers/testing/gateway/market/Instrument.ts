import type { Hours } from "./Hours.ts"

export type SecType = "STK" | "CASH" | "FUT" | "OPT" | "IND" | "BAG"

/** Something that a simulated market lists. Prices are whole ticks of `tick`. */
export interface Instrument {
  readonly conId: number
  /** What the in-process API calls it: `AAPL`, `EUR.USD`, `ESM6`, `AAPL  260619C00185000`; one of a kind. */
  readonly name: string
  readonly symbol: string
  readonly secType: SecType
  /** `YYYYMMDD`, or empty. */
  readonly lastTrade: string
  /** When it ends to be traded; null: never. */
  readonly expiresAt: number | null
  readonly strike: number
  readonly right: "C" | "P" | ""
  readonly multiplier: string
  readonly exchange: string
  readonly primaryExchange: string
  readonly validExchanges: string
  readonly currency: string
  readonly localSymbol: string
  readonly tradingClass: string
  readonly marketName: string
  readonly longName: string
  readonly industry: string
  readonly category: string
  readonly subcategory: string
  readonly stockType: string
  readonly isin: string
  readonly marketRule: number
  /** A tick is `units` of the last of `decimals` places: 0.25 is 25 of 2. */
  readonly tick: { readonly units: number; readonly decimals: number }
  /** How many ticks prices of quotes move by; more than 1 where recorded trades are finer. */
  readonly increment: number
  readonly hours: Hours
  readonly underlying: Instrument | null
  readonly seed: number
  readonly listedAt: number
  readonly model: PriceModel
  /** Milliseconds that one draw of events is for, and how many events such a cell has on average. */
  readonly cell: { readonly millis: number; readonly events: number }
  /** Of a round lot. */
  readonly lot: number
  /** Has trades; a currency pair has quotes alone. */
  readonly trades: boolean
}

export type PriceModel =
  /** Moves about `level` (a price); `swing` scales by how much. */
  | { readonly _tag: "Walk"; readonly level: number; readonly swing: number }
  /** What an option is worth by its underlying; `volatility` a year. */
  | { readonly _tag: "Option"; readonly volatility: number }
  /** A combination of others. */
  | { readonly _tag: "Legs"; readonly legs: ReadonlyArray<{ readonly of: Instrument; readonly ratio: number }> }

/** The price of so many ticks: the double nearest to its decimal. */
export const priceOf = ({ tick }: Instrument, ticks: number): number => (ticks * tick.units) / 10 ** tick.decimals

/** The smallest step between prices that may be quoted. */
export const minimumTick = (one: Instrument): number => one.increment * tickSize(one)

export const tickSize = ({ tick }: Instrument): number => tick.units / 10 ** tick.decimals
