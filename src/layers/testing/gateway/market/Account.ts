/**
 * An account: cash, positions, and what they are worth at what the market says. Nothing in it is a number of its own: market values, profit and loss and
 * net liquidation follow from positions and prices.
 */
import { mix } from "./hash.ts"
import { type Instrument, priceOf } from "./Instrument.ts"
import type { Listing, Market } from "./Market.ts"

export interface Position {
  readonly listing: Listing
  quantity: number
  /** What one cost, its multiplier included. */
  averageCost: number
  realized: number
}

/** A position at what the market says. Amounts are in dollars. */
export interface Valued {
  readonly instrument: Instrument
  readonly quantity: number
  readonly averageCost: number
  readonly price: number
  readonly value: number
  readonly unrealized: number
  readonly realized: number
  /** Since the close of the day before. */
  readonly daily: number
}

const cents = (value: number): number => Math.round(value * 100) / 100

const held = [
  ["AAPL", 400],
  ["MSFT", -150],
  ["SPY", 250],
  ["IBM", 300]
] as const

export const multiplierOf = ({ multiplier }: Instrument): number => (multiplier === "" ? 1 : Number(multiplier))

export class Account {
  readonly name: string
  readonly positions: Array<Position> = []
  cash: number

  constructor(name: string, seed: number, market: Market, start: number) {
    this.name = name
    this.cash = 250_000 + (mix(seed, 1, 1) % 500_000)
    const { all } = market.universe
    const future = all.find(({ symbol }) => symbol === "ES")
    const option = all.find(({ right, secType, strike, symbol }) => {
      const isMiddle = symbol === "AAPL" && strike >= 187
      return secType === "OPT" && right === "C" && isMiddle
    })
    const others = [
      [future?.name ?? "", 2],
      [option?.name ?? "", 5]
    ] as const
    for (const [symbol, quantity] of [...held, ...others]) {
      const listing = market.named(symbol)
      if (listing === null) continue
      const { mark } = listing.at(start)
      const drift = 1 + ((mix(seed, quantity, 2) % 800) - 400) / 10_000
      const cost = priceOf(listing.instrument, Number.isNaN(mark) ? 100 : mark) * drift
      const averageCost = Math.round(cost * multiplierOf(listing.instrument) * 10_000) / 10_000
      this.positions.push({ listing, quantity, averageCost, realized: 0 })
    }
  }

  position(conId: number): Position | null {
    return this.positions.find(({ listing }) => listing.instrument.conId === conId) ?? null
  }

  valued({ averageCost, listing, quantity, realized }: Position, now: number): Valued {
    const { instrument } = listing
    const live = listing.at(now)
    const multiplier = multiplierOf(instrument)
    const price = priceOf(instrument, live.mark)
    const value = price * multiplier * quantity
    const before = priceOf(instrument, live.priorClose)
    return {
      instrument,
      quantity,
      averageCost,
      price,
      value: cents(value),
      unrealized: cents(value - averageCost * quantity),
      realized: cents(realized),
      daily: Number.isNaN(before) ? 0 : cents((price - before) * multiplier * quantity)
    }
  }

  all(now: number): ReadonlyArray<Valued> {
    return this.positions.map((position) => this.valued(position, now))
  }

  /** Adds a trade to what is held; the part that closes a position is realized. */
  trade(listing: Listing, quantity: number, price: number): void {
    const multiplier = multiplierOf(listing.instrument)
    const cost = price * multiplier
    this.cash = cents(this.cash - cost * quantity)
    const found = this.position(listing.instrument.conId)
    if (found === null) {
      this.positions.push({ listing, quantity, averageCost: cost, realized: 0 })
      return
    }
    const closes =
      Math.sign(quantity) === Math.sign(found.quantity) ? 0 : Math.min(Math.abs(quantity), Math.abs(found.quantity))
    found.realized += closes * Math.sign(found.quantity) * (cost - found.averageCost)
    const after = found.quantity + quantity
    if (closes === 0) found.averageCost = (found.averageCost * found.quantity + cost * quantity) / after
    else if (Math.abs(quantity) > closes) found.averageCost = cost
    found.quantity = after
  }

  /** Key, value and currency of what an account says of itself. */
  values(now: number): ReadonlyArray<readonly [key: string, value: string, currency: string]> {
    const positions = this.all(now)
    const sum = (of: (one: Valued) => number) => cents(positions.reduce((total, one) => total + of(one), 0))
    const marketValue = sum(({ value }) => value)
    const net = cents(this.cash + marketValue)
    const gross = sum(({ value }) => Math.abs(value))
    const margin = cents(gross * 0.25)
    return [
      ["AccountType", "INDIVIDUAL", ""],
      ["AccountCode", this.name, ""],
      ["AccountReady", "true", ""],
      ["NetLiquidation", String(net), "USD"],
      ["TotalCashValue", String(this.cash), "USD"],
      ["SettledCash", String(this.cash), "USD"],
      ["CashBalance", String(this.cash), "USD"],
      ["TotalCashBalance", String(this.cash), "BASE"],
      ["GrossPositionValue", String(gross), "USD"],
      ["StockMarketValue", String(sum(({ instrument, value }) => (instrument.secType === "STK" ? value : 0))), "USD"],
      ["OptionMarketValue", String(sum(({ instrument, value }) => (instrument.secType === "OPT" ? value : 0))), "USD"],
      ["UnrealizedPnL", String(sum(({ unrealized }) => unrealized)), "USD"],
      ["RealizedPnL", String(sum(({ realized }) => realized)), "USD"],
      ["EquityWithLoanValue", String(net), "USD"],
      ["AvailableFunds", String(cents(net - margin)), "USD"],
      ["ExcessLiquidity", String(cents(net - margin)), "USD"],
      ["InitMarginReq", String(margin), "USD"],
      ["MaintMarginReq", String(margin), "USD"],
      ["BuyingPower", String(cents((net - margin) * 4)), "USD"],
      ["Cushion", String(net === 0 ? 0 : Math.round(((net - margin) / net) * 1e6) / 1e6), ""],
      ["DayTradesRemaining", "-1", ""],
      ["Leverage", String(net === 0 ? 0 : Math.round((gross / net) * 100) / 100), ""]
    ]
  }
}
