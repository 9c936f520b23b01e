/** What a simulated market lists: shares, an index, currencies, futures, and chains of options on two of the shares. */
import { alwaysHours, currencyHours, futureHours, type Hours, regularHours, stockHours } from "./Hours.ts"
import { mix, seedOf } from "./hash.ts"
import type { Instrument } from "./Instrument.ts"
import type { Recording } from "./RecordedTape.ts"

const day = 86_400_000

type Share = readonly [
  symbol: string,
  conId: number,
  longName: string,
  primaryExchange: string,
  level: number,
  isin: string,
  industry: string,
  category: string
]

const stocks: ReadonlyArray<Share> = [
  ["AAPL", 265598, "APPLE INC", "NASDAQ", 187, "US0378331005", "Technology", "Computers"],
  ["MSFT", 272093, "MICROSOFT CORP", "NASDAQ", 412, "US5949181045", "Technology", "Software"],
  ["NVDA", 4815747, "NVIDIA CORP", "NASDAQ", 121, "US67066G1040", "Technology", "Semiconductors"],
  ["AMZN", 3691937, "AMAZON.COM INC", "NASDAQ", 178, "US0231351067", "Communications", "Internet"],
  ["TSLA", 76792991, "TESLA INC", "NASDAQ", 204, "US88160R1014", "Consumer, Cyclical", "Auto Manufacturers"],
  ["IBM", 8314, "INTL BUSINESS MACHINES CORP", "NYSE", 189, "US4592001014", "Technology", "Computers"],
  ["JPM", 1520593, "JPMORGAN CHASE & CO", "NYSE", 196, "US46625H1005", "Financial", "Banks"],
  ["SPY", 756733, "SS SPDR S&P 500 ETF TRUST-US", "ARCA", 512, "US78462F1030", "", ""]
]

type Pair = readonly [symbol: string, currency: string, conId: number, level: number, units: number, decimals: number]

const currencies: ReadonlyArray<Pair> = [
  ["EUR", "USD", 12087792, 1.0854, 5, 5],
  ["GBP", "USD", 12087797, 1.2711, 5, 5],
  ["USD", "JPY", 15016059, 151.23, 5, 3]
]

const futures = [
  ["ES", "CME", "E-Mini S&P 500", "50", 5_140, 25, 2],
  ["NQ", "CME", "E-Mini NASDAQ 100", "20", 18_020, 25, 2],
  ["CL", "NYMEX", "Light Sweet Crude Oil", "1000", 81, 1, 2]
] as const

const monthCodes = "FGHJKMNQUVXZ"

const dateText = (date: number): string => new Date(date).toISOString().slice(0, 10).replaceAll("-", "")

/** The third Friday of a month, at 00:00Z. */
const thirdFriday = (year: number, month: number): number => {
  const first = Date.UTC(year, month, 1)
  return first + (((5 - new Date(first).getUTCDay() + 7) % 7) + 14) * day
}

const nothing = {
  lastTrade: "",
  expiresAt: null,
  strike: 0,
  right: "",
  multiplier: "",
  industry: "",
  category: "",
  subcategory: "",
  stockType: "",
  isin: "",
  underlying: null,
  lot: 1,
  increment: 1,
  trades: true
} as const

export interface UniverseOptions {
  readonly seed: number
  /** When the simulated time begins: futures and options that still trade then are listed. */
  readonly start: number
  /** `always`: everything is traded around the clock. */
  readonly hours: "exchange" | "always"
  /** Multiplies how much happens. */
  readonly activity: number
  /** Its trades take the place of those that would follow from the seed; a share that is not listed is listed then. */
  readonly recording: Recording | null
}

/** Shares that exist beside the named ones, for as many as a test wants: `SIM0000` to `SIM99999`. */
const simulated = /^SIM(\d{4,5})$/
const simulatedIds = 900_000_000

export class Universe {
  readonly all: ReadonlyArray<Instrument>
  private readonly options: UniverseOptions
  private readonly byId = new Map<number, Instrument>()
  private readonly hoursOf: { readonly [kind in "stock" | "regular" | "future" | "currency"]: Hours }

  constructor(options: UniverseOptions) {
    this.options = options
    const always = options.hours === "always" ? alwaysHours() : null
    this.hoursOf = {
      stock: always ?? stockHours(),
      regular: always ?? regularHours(),
      future: always ?? futureHours(),
      currency: always ?? currencyHours()
    }
    const shares = this.shares()
    const chains = shares
      // Options follow the walk of their underlying, and what was recorded follows none.
      .filter(({ name, symbol }) => (symbol === "AAPL" || symbol === "SPY") && name !== options.recording?.symbol)
      .flatMap((underlying) => this.chain(underlying))
    this.all = [...shares, this.index(), ...currencies.map((one) => this.pair(...one)), ...this.futures(), ...chains]
    for (const instrument of this.all) this.byId.set(instrument.conId, instrument)
  }

  get(conId: number): Instrument | null {
    const known = this.byId.get(conId)
    if (known !== undefined) return known
    const number = conId - simulatedIds
    return number >= 0 && number < 100_000 ? this.simulated(`SIM${String(number).padStart(4, "0")}`) : null
  }

  /** One of the shares without a name of its own, made when it is asked for. */
  simulated(symbol: string): Instrument | null {
    const number = Number(simulated.exec(symbol)?.[1] ?? Number.NaN)
    if (Number.isNaN(number) || symbol !== `SIM${String(number).padStart(4, "0")}`) return null
    const conId = simulatedIds + number
    const known = this.byId.get(conId)
    if (known !== undefined) return known
    const level = 20 + (mix(this.options.seed, number, 3) % 200)
    const made: Instrument = {
      ...this.share(symbol, conId, `SIMULATED COMPANY ${number}`, "NYSE", level, "", "Simulated", "Simulated"),
      cell: { millis: 10_000, events: 2 * this.options.activity }
    }
    this.byId.set(conId, made)
    return made
  }

  private shares(): ReadonlyArray<Instrument> {
    const { recording, seed } = this.options
    const listed = stocks.map((one) => this.share(...one))
    if (recording === null) return listed
    const { decimals, symbol } = recording
    const known = listed.find((one) => one.symbol === symbol)
    const unlisted = () =>
      this.share(
        symbol,
        800_000_000 + (seedOf(seed, symbol) % 1_000_000),
        symbol,
        "NYSE",
        100,
        "",
        "Recorded",
        "Recorded"
      )
    const recorded: Instrument = {
      ...(known ?? unlisted()),
      tick: { units: 1, decimals },
      increment: 10 ** (decimals - 2),
      lot: 1
    }
    return [...listed.filter((one) => one !== known), recorded]
  }

  private common(name: string) {
    const { activity, seed, start } = this.options
    return {
      ...nothing,
      name,
      seed: seedOf(seed, name),
      listedAt: Math.floor(start / day - 5 * 365) * day,
      cell: { millis: 1_000, events: activity }
    }
  }

  private share(
    symbol: string,
    conId: number,
    longName: string,
    primaryExchange: string,
    level: number,
    isin: string,
    industry: string,
    category: string
  ): Instrument {
    return {
      ...this.common(symbol),
      conId,
      symbol,
      secType: "STK",
      exchange: "SMART",
      primaryExchange,
      validExchanges: "SMART,NYSE,NASDAQ,ARCA,BATS,EDGX,IEX",
      currency: "USD",
      localSymbol: symbol,
      tradingClass: primaryExchange === "NASDAQ" ? "NMS" : symbol,
      marketName: primaryExchange === "NASDAQ" ? "NMS" : symbol,
      longName,
      industry,
      category,
      subcategory: category,
      stockType: symbol === "SPY" ? "ETF" : "COMMON",
      isin,
      marketRule: 26,
      tick: { units: 1, decimals: 2 },
      hours: this.hoursOf.stock,
      model: { _tag: "Walk", level, swing: 1 },
      lot: 100
    }
  }

  private index(): Instrument {
    return {
      ...this.common("SPX"),
      conId: 416904,
      symbol: "SPX",
      secType: "IND",
      exchange: "CBOE",
      primaryExchange: "",
      validExchanges: "CBOE",
      currency: "USD",
      localSymbol: "SPX",
      tradingClass: "SPX",
      marketName: "SPX",
      longName: "S&P 500 Stock Index",
      industry: "Indices",
      category: "Broad Range Equity Index",
      subcategory: "*",
      marketRule: 67,
      tick: { units: 1, decimals: 2 },
      hours: this.hoursOf.regular,
      model: { _tag: "Walk", level: 5_130, swing: 0.8 }
    }
  }

  private pair(
    symbol: string,
    currency: string,
    conId: number,
    level: number,
    units: number,
    decimals: number
  ): Instrument {
    return {
      ...this.common(`${symbol}.${currency}`),
      conId,
      symbol,
      secType: "CASH",
      exchange: "IDEALPRO",
      primaryExchange: "",
      validExchanges: "IDEALPRO",
      currency,
      localSymbol: `${symbol}.${currency}`,
      tradingClass: `${symbol}.${currency}`,
      marketName: `${symbol}.${currency}`,
      longName: `${symbol === "EUR" ? "European Monetary Union Euro" : symbol}`,
      marketRule: 239,
      tick: { units, decimals },
      hours: this.hoursOf.currency,
      model: { _tag: "Walk", level, swing: 0.3 },
      cell: { millis: 1_000, events: 3 * this.options.activity },
      lot: 100_000,
      trades: false
    }
  }

  private futures(): ReadonlyArray<Instrument> {
    const { start } = this.options
    const year = new Date(start).getUTCFullYear()
    const expiries = [year, year + 1].flatMap((one) => [2, 5, 8, 11].map((month) => thirdFriday(one, month)))
    return futures.flatMap(([symbol, exchange, longName, multiplier, level, units, decimals], row) =>
      expiries
        .filter((expiry) => expiry > start)
        .slice(0, 4)
        .map((expiry): Instrument => {
          const at = new Date(expiry)
          const localSymbol = `${symbol}${monthCodes[at.getUTCMonth()]}${at.getUTCFullYear() % 10}`
          const months = at.getUTCFullYear() * 12 + at.getUTCMonth()
          return {
            ...this.common(localSymbol),
            conId: 600_000_000 + row * 1_000_000 + months,
            symbol,
            secType: "FUT",
            lastTrade: dateText(expiry),
            expiresAt: expiry + 14.5 * 3_600_000,
            multiplier,
            exchange,
            primaryExchange: "",
            validExchanges: exchange,
            currency: "USD",
            localSymbol,
            tradingClass: symbol,
            marketName: symbol,
            longName,
            marketRule: 67,
            tick: { units, decimals },
            hours: this.hoursOf.future,
            model: { _tag: "Walk", level: level * (1 + 0.01 * ((expiry - start) / (365 * day))), swing: 0.8 },
            cell: { millis: 1_000, events: 2 * this.options.activity }
          }
        })
    )
  }

  /** Six months of strikes about the level, calls and puts. */
  private chain(underlying: Instrument): ReadonlyArray<Instrument> {
    const { start } = this.options
    const { model, symbol } = underlying
    const at = new Date(start)
    const expiries = Array.from({ length: 9 }, (_, index) => thirdFriday(at.getUTCFullYear(), at.getUTCMonth() + index))
      .filter((expiry) => expiry > start + day)
      .slice(0, 6)
    const level = model._tag === "Walk" ? model.level : 100
    const step = level > 300 ? 5 : 2.5
    const middle = Math.round(level / step) * step
    const strikes = Array.from({ length: 41 }, (_, index) => middle + (index - 20) * step)
    return expiries.flatMap((expiry, month) =>
      strikes.flatMap((strike, row) =>
        (["C", "P"] as const).map((right, side): Instrument => {
          const date = dateText(expiry)
          const padded = String(Math.round(strike * 1000)).padStart(8, "0")
          const localSymbol = `${symbol.padEnd(6)}${date.slice(2)}${right}${padded}`
          const skew = 0.22 + 0.15 * Math.abs(Math.log(strike / level)) + 0.01 * month
          return {
            ...this.common(localSymbol),
            conId: 700_000_000 + (underlying.conId % 10_000) * 1_000 + month * 100 + row * 2 + side,
            symbol,
            secType: "OPT",
            lastTrade: date,
            // Four in the afternoon of New York, an hour later in winter; options here end at one instant.
            expiresAt: expiry + 20 * 3_600_000,
            strike,
            right,
            multiplier: "100",
            exchange: "SMART",
            primaryExchange: "",
            validExchanges: "SMART,CBOE,ISE,PHLX,BOX",
            currency: "USD",
            localSymbol,
            tradingClass: symbol,
            marketName: symbol,
            longName: underlying.longName,
            marketRule: 32,
            tick: { units: 1, decimals: 2 },
            hours: this.hoursOf.regular,
            underlying,
            model: { _tag: "Option", volatility: Math.round(skew * 10_000) / 10_000 },
            cell: { millis: 10_000, events: 2 * this.options.activity }
          }
        })
      )
    )
  }
}
