/** The one account of the seeded vendor: cash, and some of each symbol. What it is worth follows from what is held and from the tape's prices. */
import type { AccountKind } from "../../domain/streams/StreamKind.ts"
import type { AccountValue, Holding, ProfitAndLoss, StreamRow } from "../../domain/streams/StreamRow.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"
import { chance } from "./ModelMarket.ts"
import { middleAt } from "./ModelTape.ts"

export const modelAccount = "SIM1000001"

const day = 86_400_000
const currency = "USD"
const cents = (value: number): number => Math.round(value * 100) / 100

interface Valued extends Holding {
  readonly marketValue: number
  readonly unrealized: number
  /** Since midnight UTC. */
  readonly daily: number
}

const valuedAt = (seed: number, symbols: ReadonlyArray<string>, ts: EpochMillis): ReadonlyArray<Valued> =>
  symbols.map((symbol) => {
    const priceAt = (at: EpochMillis) => middleAt(seed, symbol, Math.floor(at / 1_000)) / 100
    const hundreds = 1 + Math.floor(chance(seed, "held", symbol) * 5)
    const position = 100 * (chance(seed, "short", symbol) < 0.25 ? -hundreds : hundreds)
    const averageCost = cents(priceAt(0) * (0.95 + 0.1 * chance(seed, "cost", symbol)))
    const marketPrice = priceAt(ts)
    return {
      ts,
      account: modelAccount,
      symbol,
      position,
      marketPrice,
      marketValue: cents(marketPrice * position),
      averageCost,
      unrealized: cents((marketPrice - averageCost) * position),
      realized: 0,
      currency,
      daily: cents((marketPrice - priceAt(Math.floor(ts / day) * day)) * position)
    }
  })

const holdingOf = ({ daily: _, ...holding }: Valued): Holding => holding

const total = (valued: ReadonlyArray<Valued>, of: (one: Valued) => number): number =>
  cents(valued.reduce((sum, one) => sum + of(one), 0))

const profitsOf = (valued: ReadonlyArray<Valued>, ts: EpochMillis): ReadonlyArray<ProfitAndLoss> => [
  {
    ts,
    account: modelAccount,
    symbol: null,
    position: null,
    daily: total(valued, ({ daily }) => daily),
    unrealized: total(valued, ({ unrealized }) => unrealized),
    realized: 0,
    value: null
  },
  ...valued.map(({ account, daily, marketValue, position, realized, symbol, unrealized }) => ({
    ts,
    account,
    symbol,
    position,
    daily,
    unrealized,
    realized,
    value: marketValue
  }))
]

const figuresOf = (seed: number, valued: ReadonlyArray<Valued>, ts: EpochMillis): ReadonlyArray<AccountValue> => {
  const cash = 100_000 + Math.floor(chance(seed, "cash") * 400_000)
  const net = cents(cash + total(valued, ({ marketValue }) => marketValue))
  const gross = total(valued, ({ marketValue }) => Math.abs(marketValue))
  const margin = cents(gross * 0.25)
  const money = (tag: string, value: number): AccountValue => ({
    ts,
    account: modelAccount,
    tag,
    value: value.toFixed(2),
    currency
  })
  return [
    { ts, account: modelAccount, tag: "AccountType", value: "SIMULATED", currency: null },
    money("NetLiquidation", net),
    money("TotalCashValue", cash),
    money("GrossPositionValue", gross),
    money(
      "UnrealizedPnL",
      total(valued, ({ unrealized }) => unrealized)
    ),
    money("RealizedPnL", 0),
    money("AvailableFunds", net - margin),
    money("ExcessLiquidity", net - margin),
    money("InitMarginReq", margin),
    money("MaintMarginReq", margin),
    money("BuyingPower", (net - margin) * 4)
  ]
}

/** All rows of a kind, as they are at an instant. */
export const accountRowsAt = (
  kind: AccountKind,
  seed: number,
  symbols: ReadonlyArray<string>,
  ts: EpochMillis
): ReadonlyArray<StreamRow> => {
  const valued = valuedAt(seed, symbols, ts)
  switch (kind) {
    case "portfolio":
      return valued.map(holdingOf)
    case "account":
      return figuresOf(seed, valued, ts)
    case "pnl":
      return profitsOf(valued, ts)
  }
}
