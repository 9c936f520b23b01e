/** What there is at vendors, as plain JSON for who has curl and no RPC client. */
import { Result, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Contract, OptionChain } from "../../../../domain/Contract.ts"
import { CoverageState } from "../../../../domain/Coverage.ts"
import { parseInstant } from "../../../../domain/Instant.ts"
import { OptionsSnapshot } from "../../../../domain/OptionsSnapshot.ts"
import { DataType } from "../../../../domain/streams/StreamEvent.ts"
import { Timeframe } from "../../../../domain/Timeframe.ts"
import { mostBars } from "./bounds.ts"
import { InstantText } from "./InstantText.ts"
import { marketProblems } from "./Problems.ts"

const said = (summary: string, description: string) => OpenApi.annotations({ summary, description })
const noted = (description: string) => Schema.String.annotate({ description })
const within = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Figure = Schema.NullOr(Schema.Finite)
const vendor = Schema.optionalKey(
  Schema.NonEmptyString.annotate({ description: "Whose; needed where more than one vendor can tell" })
)
const symbol = Schema.NonEmptyString.annotate({ description: "As the vendor spells it, such as SPY or EUR.USD" })

/** The prices that bars are made of, by the names of IB. */
export const What = Schema.Literals(["TRADES", "BID", "ASK", "MIDPOINT"])

export const Prices = Schema.Struct({
  symbol: Schema.String,
  vendor: Schema.String,
  interval: Timeframe,
  what: What,
  /** The series as it is named everywhere else. */
  series: noted("The identity of the series"),
  start: noted("The answer is about what is from here"),
  end: noted("up to before here"),
  bars: Schema.Array(
    Schema.Struct({
      ts: noted("The opening instant; of a day and longer the session's date"),
      open: Schema.Finite,
      high: Schema.Finite,
      low: Schema.Finite,
      close: Schema.Finite,
      volume: Figure,
      vwap: Figure,
      count: Figure
    })
  ),
  count: Schema.Int,
  complete: Schema.Boolean.annotate({ description: "Every bar that the vendor has in this range is here" }),
  missing: Schema.Array(
    Schema.Struct({ start: Schema.String, end: Schema.String, state: Schema.String, why: Schema.String })
  ).annotate({ description: "The parts of the range whose bars are not here, and why" }),
  coverage: Schema.Array(Schema.Struct({ start: Schema.String, end: Schema.String, state: CoverageState })).annotate({
    description: "What is known of each part of the range"
  }),
  next: Schema.NullOr(Schema.String).annotate({ description: "With start: where the following page starts" })
})
export interface Prices extends Schema.Schema.Type<typeof Prices> {}

export const Options = Schema.Struct({
  symbol: Schema.String,
  vendor: Schema.String,
  expiry: Schema.NullOr(Schema.String),
  expirations: Schema.Array(Schema.String).annotate({ description: "All dates of all chains, ascending" }),
  chains: Schema.Array(OptionChain).annotate({
    description: "By exchange and class; with expiry: those that have that date, and at most max_contracts in all"
  }),
  contracts: Schema.Int.annotate({ description: "A call and a put for each strike and date of chains" }),
  truncated: Schema.Boolean.annotate({
    description: "There are more strikes or dates than max_contracts lets through"
  }),
  quotes: Schema.NullOr(OptionsSnapshot).annotate({
    description:
      "With expiry, where the vendor has quotes of options: those about the price, as they stand now; else null"
  })
})
export interface Options extends Schema.Schema.Type<typeof Options> {}

export const Contracts = Schema.Struct({ vendor: Schema.String, contracts: Schema.Array(Contract) })

const ofAccount = {
  account: Schema.String,
  vendor: Schema.String,
  complete: Schema.Boolean.annotate({ description: "The vendor has sent all of it" }),
  stale: Schema.Boolean.annotate({ description: "The vendor does not send at present" }),
  ts: Schema.NullOr(Schema.String),
  delayed: Schema.NullOr(Schema.Boolean),
  data_type: Schema.NullOr(DataType),
  simulated: Schema.Boolean.annotate({ description: "Of a market that does not exist" })
}

export const Positions = Schema.Struct({
  ...ofAccount,
  unrealized_pnl: Figure,
  realized_pnl: Figure,
  daily_pnl: Figure,
  positions: Schema.Array(
    Schema.Struct({
      symbol: Schema.String,
      position: Schema.Finite,
      market_price: Figure,
      market_value: Figure,
      average_cost: Figure,
      unrealized_pnl: Figure,
      realized_pnl: Figure,
      currency: Schema.NullOr(Schema.String),
      ts: Schema.String
    })
  )
})
export interface Positions extends Schema.Schema.Type<typeof Positions> {}

export const AccountFigures = Schema.Struct({
  ...ofAccount,
  values: Schema.Array(
    Schema.Struct({ tag: Schema.String, value: Schema.String, currency: Schema.NullOr(Schema.String) })
  )
})
export interface AccountFigures extends Schema.Schema.Type<typeof AccountFigures> {}

const account = Schema.optionalKey(
  Schema.NonEmptyString.annotate({ description: "Which account; needed where there is more than one" })
)

/** A day that there is, of text that looks like one. */
const isDay = Schema.makeFilter((text: string) => {
  const digits = text.replaceAll("-", "")
  const day = parseInstant(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`)
  return Result.isSuccess(day) || day.failure
})

/** @internal */
export class MarketApi extends HttpApiGroup.make("market")
  .add(
    HttpApiEndpoint.get("prices", "/prices", {
      query: {
        symbol,
        interval: Schema.optionalKey(Timeframe.annotate({ description: "The length of a bar; 1d unless given" })),
        limit: Schema.optionalKey(within(1, mostBars)),
        what: Schema.optionalKey(What.annotate({ description: "Bars of what; TRADES unless given" })),
        start: Schema.optionalKey(InstantText),
        end: Schema.optionalKey(InstantText),
        vendor
      },
      success: Prices,
      error: [...marketProblems]
    }).annotateMerge(
      said(
        "Bars",
        "The newest bars before end (now unless given); with start the first ones from there. What is not stored is fetched, once. What could not be had is named in missing: an answer is never short in silence."
      )
    ),
    HttpApiEndpoint.get("options", "/options", {
      query: {
        symbol,
        expiry: Schema.optionalKey(
          // What it is called belongs to the last check.
          Schema.String.check(isDay, Schema.isPattern(/^\d{4}-?\d{2}-?\d{2}$/)).annotate({
            description: "YYYYMMDD or YYYY-MM-DD; all dates unless given"
          })
        ),
        max_contracts: Schema.optionalKey(within(2, 100_000)),
        vendor
      },
      success: Options,
      error: [...marketProblems]
    }).annotateMerge(
      said(
        "Option chains",
        "The dates and strikes of the options of an underlying, by exchange and class, and with expiry what those about the price stand at now. Not every pair of a date and a strike is listed."
      )
    ),
    HttpApiEndpoint.get("contracts", "/contracts", {
      query: { symbol, vendor },
      success: Contracts,
      error: [...marketProblems]
    }).annotateMerge(said("Contracts", "Every contract that a symbol may mean, as the vendor describes it."))
  )
  .annotateMerge(OpenApi.annotations({ title: "Market", description: "What there is at vendors" })) {}

/** @internal */
export class AccountApi extends HttpApiGroup.make("account")
  .add(
    HttpApiEndpoint.get("positions", "/positions", {
      query: { account_id: account, vendor },
      success: Positions,
      error: [...marketProblems]
    }).annotateMerge(said("Positions", "What an account holds now, and what it has won and lost.")),
    HttpApiEndpoint.get("account", "/account", {
      query: { account_id: account, vendor },
      success: AccountFigures,
      error: [...marketProblems]
    }).annotateMerge(said("Account", "The figures of an account, in the vendor's words."))
  )
  .annotateMerge(OpenApi.annotations({ title: "Account", description: "What an account has" })) {}
