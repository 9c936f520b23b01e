/** A vendor of `adapter: yahoo`: what `tapestry.yaml` may say of it, and what holds where it says nothing. */
import { Result, Schema } from "effect"
import { QuotaWindow } from "../../../domain/VendorLimits.ts"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import { Millis } from "../../config/units.ts"

const Text = Schema.NonEmptyString
const Count = Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "a whole number above 0" })

export const YahooVendorSpec = Schema.Struct({
  adapter: Schema.Literal("yahoo").annotate({ expected: '"yahoo", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Text.annotate({ expected: "the name of an account" })),
  host: Schema.optionalKey(Text.annotate({ expected: "an origin, such as https://query1.finance.yahoo.com" })),
  userAgent: Schema.optionalKey(Text.annotate({ expected: "the text of a User-Agent header" })),
  calendar: Schema.optionalKey(Schema.NullOr(Text).annotate({ expected: "the name of a calendar, such as XNYS" })),
  currency: Schema.optionalKey(
    Schema.NullOr(Text).annotate({ expected: "a currency as Yahoo writes it, such as USD or GBp, or null" })
  ),
  finalityDelay: Schema.optionalKey(Millis),
  provisionalFor: Schema.optionalKey(Millis),
  recheckAfter: Schema.optionalKey(Schema.NullOr(Millis).annotate({ expected: "a duration, such as 3d, or null" })),
  basisHolds: Schema.optionalKey(Millis),
  rest: Schema.optionalKey(Millis),
  timeout: Schema.optionalKey(Millis),
  quota: Schema.optionalKey(
    Schema.Struct({
      concurrency: Schema.optionalKey(Count),
      maxInFlight: Schema.optionalKey(Schema.NullOr(Count)),
      windows: Schema.optionalKey(Schema.Array(QuotaWindow))
    })
  )
})
export interface YahooVendorSpec extends Schema.Schema.Type<typeof YahooVendorSpec> {}

/** A vendor of Yahoo, checked. Durations are milliseconds, sizes bytes. */
export interface YahooVendor {
  readonly adapter: "yahoo"
  readonly name: string
  readonly description: string
  readonly account: string
  /** An origin, without a slash at its end. */
  readonly host: string
  readonly userAgent: string
  readonly calendar: string | null
  /** The currency of every series that names none itself; null: whatever the chart is in. */
  readonly currency: string | null
  readonly finalityDelay: number
  readonly provisionalFor: number
  readonly recheckAfter: number | null
  /** How long an adjusted history that was seen unchanged is believed to be so; 0: not at all. */
  readonly basisHolds: number
  /** How long Yahoo is left alone after it has throttled. */
  readonly rest: number
  /** How long the head of an answer may take; its body may take four times as long. */
  readonly timeout: number
  readonly maxBytes: number
  readonly concurrency: number
  readonly maxInFlight: number | null
  readonly windows: ReadonlyArray<QuotaWindow>
}

const minute = 60_000

/** Far above any chart: forty years of days are two megabytes. */
const maxChart = 67_108_864

/** Yahoo publishes no limits. These are well below what clients report to be throttled at. */
const defaultWindows: ReadonlyArray<QuotaWindow> = [
  { name: "minute", limit: 100, span: minute, key: null },
  { name: "hour", limit: 2_000, span: 60 * minute, key: null }
]

const originOf = (host: string): string | null => {
  const url = URL.parse(host)
  return url !== null && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === "" ? url.origin : null
}

/** Checks a decoded vendor and fills in what it leaves out. `payloadLimit` (bytes) is what the archive takes. */
export const resolveVendor = (
  name: string,
  spec: YahooVendorSpec,
  payloadLimit: number
): Result.Result<YahooVendor, ReadonlyArray<DocumentProblem>> => {
  const host = originOf(spec.host ?? "https://query2.finance.yahoo.com")
  if (host === null) {
    return Result.fail([
      {
        path: ["vendors", name, "host"],
        expected: "an origin without a path, such as https://query1.finance.yahoo.com",
        found: null,
        remedy: null
      }
    ])
  }
  return Result.succeed({
    adapter: "yahoo",
    name,
    description: spec.description ?? "Yahoo Finance, chart endpoint; for personal use, see its terms",
    account: spec.account ?? name,
    host,
    userAgent: spec.userAgent ?? "Mozilla/5.0 (compatible; tapestry)",
    calendar: spec.calendar ?? null,
    currency: spec.currency ?? null,
    finalityDelay: spec.finalityDelay ?? 60 * minute,
    provisionalFor: spec.provisionalFor ?? minute,
    recheckAfter: spec.recheckAfter ?? null,
    // It moves its history in the night before a split counts.
    basisHolds: spec.basisHolds ?? 60 * minute,
    rest: spec.rest ?? minute,
    timeout: spec.timeout ?? 30_000,
    maxBytes: Math.min(payloadLimit, maxChart),
    concurrency: spec.quota?.concurrency ?? 4,
    maxInFlight: spec.quota?.maxInFlight === undefined ? 4 : spec.quota.maxInFlight,
    windows: spec.quota?.windows ?? defaultWindows
  })
}
