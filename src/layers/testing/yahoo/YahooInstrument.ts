import type { EpochMillis } from "../../../domain/TimeRange.ts"

/** What a test market trades. Dates are at 00:00Z, amounts and prices follow from the seed. */
export interface YahooInstrument {
  readonly symbol: string
  /** The unit of its prices, as Yahoo writes it. */
  readonly currency: string | null
  readonly instrumentType: string
  readonly exchangeName: string
  /** Its sessions: the name of a calendar that comes with Tapestry. */
  readonly calendar: string
  /** Minutes that it trades before the session opens and after it closes; 0: none. */
  readonly before: number
  readonly after: number
  readonly listedAt: EpochMillis
  /** Ex-dates of splits: from there on `numerator` shares are what `denominator` were. Later ones than now change history when they come. */
  readonly splits: ReadonlyArray<{
    readonly date: EpochMillis
    readonly numerator: number
    readonly denominator: number
  }>
  /** Ex-dates; cents a share, in shares of after the last split. */
  readonly dividends: ReadonlyArray<{ readonly date: EpochMillis; readonly cents: number }>
}

const date = (text: string): EpochMillis => Date.parse(text)

/** A share in New York as most are. */
export const share = (symbol: string, more: Partial<YahooInstrument> = {}): YahooInstrument => ({
  symbol,
  currency: "USD",
  instrumentType: "EQUITY",
  exchangeName: "NMS",
  calendar: "XNYS",
  before: 330,
  after: 240,
  listedAt: date("2001-01-02"),
  splits: [],
  dividends: [],
  ...more
})

/** Some of each kind: with splits and dividends, in pence, open day and night. */
export const instruments: ReadonlyArray<YahooInstrument> = [
  share("AAPL", {
    splits: [
      { date: date("2014-06-09"), numerator: 7, denominator: 1 },
      { date: date("2020-08-31"), numerator: 4, denominator: 1 }
    ],
    dividends: [
      { date: date("2020-02-07"), cents: 19 },
      { date: date("2020-05-08"), cents: 20 },
      { date: date("2020-08-07"), cents: 21 },
      { date: date("2020-11-06"), cents: 21 },
      { date: date("2024-05-10"), cents: 25 }
    ]
  }),
  share("MSFT", { dividends: [{ date: date("2024-05-15"), cents: 75 }] }),
  share("OCDO.L", {
    currency: "GBp",
    exchangeName: "LSE",
    calendar: "XLON",
    before: 0,
    after: 0,
    listedAt: date("2010-07-21")
  }),
  share("BTC-USD", {
    instrumentType: "CRYPTOCURRENCY",
    exchangeName: "CCC",
    calendar: "24/7",
    before: 0,
    after: 0,
    listedAt: date("2014-09-17")
  })
]
