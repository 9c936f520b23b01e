import { Schema } from "effect"
import { Adjustment, SessionScope } from "../../../domain/SeriesKey.ts"
import { Timeframe } from "../../../domain/Timeframe.ts"
import type { VendorLimits } from "../../../domain/VendorLimits.ts"
import { QuotaWindow } from "../../../domain/VendorLimits.ts"
import { ByteCount, Millis } from "../../config/units.ts"
import type { HttpPolicy } from "../../http/HttpRequest.ts"
import { type RowDecoding, shapedFields } from "../records/RowDecoding.ts"
import type { Paging } from "./HttpParams.ts"
import type { RangeSpeller, TimeSpelling } from "./timeText.ts"

const Text = Schema.NonEmptyString
const Count = Schema.Int.check(Schema.isGreaterThan(0)).annotate({ expected: "a whole number above 0" })
const Pointer = Schema.String.check(Schema.makeFilter((text) => text === "" || text.startsWith("/"))).annotate({
  expected: "a JSON pointer, such as /data/next"
})
const Texts = Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])).annotate({
  expected: "a mapping of names to texts"
})
const EnvironmentName = Schema.String.check(Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/)).annotate({
  expected: "the name of an environment variable, such as EXAMPLE_API_KEY"
})

/** How a request proves who asks. `secret` names the environment variable that holds it. */
const Auth = Schema.Struct({
  kind: Schema.Literals(["basic", "bearer", "header", "query"]).annotate({
    expected: '"basic", "bearer", "header" or "query"'
  }),
  secret: EnvironmentName,
  /** Of `basic`: the user; the secret is the password. */
  user: Schema.optionalKey(Text),
  /** Of `header` and `query`: the name of the header or parameter. */
  name: Schema.optionalKey(Text)
}).annotate({ expected: "a mapping with kind and secret" })

const Statuses = Schema.Union([Schema.Int, Schema.NonEmptyArray(Schema.Int)]).annotate({
  expected: "an HTTP status or a list of them"
})

/** What an answer means that is none. All that a rule names must hold; the first rule that does decides. */
export const ErrorRuleSpec = Schema.Struct({
  status: Schema.optionalKey(Statuses),
  /** Something other than null, false, 0 and "" is there in the JSON of the body. */
  pointer: Schema.optionalKey(Pointer),
  /** A regular expression (without regard to case) over what the pointer names, or over the body. */
  matches: Schema.optionalKey(Text.annotate({ expected: "a regular expression" })),
  means: Schema.Literals(["Throttled", "NotEntitled", "NotFound", "Empty", "Unavailable", "Rejected"]),
  /** Of Throttled, where the vendor does not say it itself. */
  retryAfter: Schema.optionalKey(Millis)
})

const PagingSpec = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("page"),
    parameter: Schema.optionalKey(Text),
    first: Schema.optionalKey(Schema.Int),
    /** Rows of a full page: one with fewer is the last. */
    rows: Schema.optionalKey(Count),
    /** Where the body says that there are more pages (true, or something). */
    more: Schema.optionalKey(Pointer),
    maxPages: Schema.optionalKey(Count)
  }),
  Schema.Struct({
    kind: Schema.Literal("cursor"),
    parameter: Schema.optionalKey(Text),
    /** Where the body has the cursor, or the address, of the next page; absent or null on the last. */
    pointer: Schema.optionalKey(Pointer),
    /** The address of the next page is in the header `Link`, as rel="next". */
    link: Schema.optionalKey(Schema.Boolean),
    maxPages: Schema.optionalKey(Count)
  }),
  Schema.Struct({ kind: Schema.Literal("time"), rows: Count, maxPages: Schema.optionalKey(Count) })
]).annotate({ expected: "a mapping with kind: page, cursor or time" })

const TimeframeSpec = Schema.Struct({
  /** The vendor's word, for `{timeframe}`; its own name by default. */
  as: Schema.optionalKey(Text),
  maxSpan: Schema.optionalKey(Millis),
  maxRows: Schema.optionalKey(Count),
  maxAge: Schema.optionalKey(Millis)
})

/** A vendor of `adapter: http` as tapestry.yaml has it. */
export const HttpVendorSpec = Schema.Struct({
  adapter: Schema.Literal("http").annotate({ expected: '"http", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Text.annotate({ expected: "the name of an account" })),
  url: Text.annotate({ expected: "an address, such as https://api.example.com/v1/{symbol}/bars" }),
  method: Schema.optionalKey(Schema.Literals(["GET", "POST"]).annotate({ expected: '"GET" or "POST"' })),
  query: Schema.optionalKey(Texts),
  headers: Schema.optionalKey(Texts),
  body: Schema.optionalKey(Schema.Json),
  auth: Schema.optionalKey(Auth),
  time: Schema.optionalKey(
    Schema.Struct({
      format: Schema.optionalKey(Text.annotate({ expected: "iso, date, epoch-seconds or a pattern such as yyyyMMdd" })),
      zone: Schema.optionalKey(Text),
      end: Schema.optionalKey(Schema.Literals(["exclusive", "inclusive"]))
    })
  ),
  pagination: Schema.optionalKey(PagingSpec),
  errors: Schema.optionalKey(Schema.Array(ErrorRuleSpec)),
  timeframes: Schema.Record(Timeframe, Schema.optionalKey(TimeframeSpec)).annotate({
    expected: "a mapping of timeframes, such as 1d: {}"
  }),
  symbols: Schema.optionalKey(
    Schema.Union([
      Schema.NonEmptyArray(Text),
      Schema.Struct({ url: Text, pointer: Schema.optionalKey(Pointer), key: Schema.optionalKey(Text) })
    ]).annotate({ expected: "a list of symbols, or a mapping with the url that lists them" })
  ),
  symbolCase: Schema.optionalKey(Schema.Literals(["upper", "lower", "exact"])),
  ping: Schema.optionalKey(Schema.Struct({ url: Text })),
  dataset: Schema.optionalKey(Schema.NullOr(Text)),
  price: Schema.optionalKey(Schema.Literals(["trade", "bid", "ask", "mid"])),
  session: Schema.optionalKey(SessionScope),
  currency: Schema.optionalKey(Schema.NullOr(Text)),
  adjustment: Schema.optionalKey(Adjustment),
  calendar: Schema.optionalKey(
    Schema.NullOr(Text).annotate({ expected: "the name of a trading calendar, such as XNYS, or null" })
  ),
  finalityDelay: Schema.optionalKey(Millis),
  recheckAfter: Schema.optionalKey(Schema.NullOr(Millis)),
  requestPrice: Schema.optionalKey(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
  limits: Schema.optionalKey(
    Schema.Struct({
      provisionalFor: Schema.optionalKey(Millis),
      emptyFor: Schema.optionalKey(Schema.NullOr(Millis)),
      refusalFor: Schema.optionalKey(Millis),
      mergeWithin: Schema.optionalKey(Millis),
      basisHolds: Schema.optionalKey(Millis),
      stampsOnGrid: Schema.optionalKey(Schema.Boolean),
      earliest: Schema.optionalKey(Text.annotate({ expected: "a date, such as 2003-09-10" }))
    })
  ),
  quota: Schema.optionalKey(
    Schema.Struct({
      concurrency: Schema.optionalKey(Count),
      maxInFlight: Schema.optionalKey(Count),
      windows: Schema.optionalKey(Schema.Array(QuotaWindow))
    })
  ),
  transport: Schema.optionalKey(
    Schema.Struct({
      connect: Schema.optionalKey(Millis),
      firstByte: Schema.optionalKey(Millis),
      total: Schema.optionalKey(Millis),
      maxBytes: Schema.optionalKey(ByteCount),
      redirects: Schema.optionalKey(Schema.Literals(["none", "sameOrigin", "follow"])),
      maxRedirects: Schema.optionalKey(Count)
    })
  ),
  ...shapedFields
})
export interface HttpVendorSpec extends Schema.Schema.Type<typeof HttpVendorSpec> {}

export type AuthSpec = typeof Auth.Type
export type TimeframeSpec = typeof TimeframeSpec.Type

/** A rule with its expression compiled. */
export interface ErrorRule {
  readonly statuses: ReadonlyArray<number> | null
  readonly pointer: string | null
  readonly matches: RegExp | null
  readonly means: (typeof ErrorRuleSpec.Type)["means"]
  readonly retryAfter: number | null
}

/** Where the vendor lists its symbols: in the configuration, or at an address. */
export type SymbolSource =
  | { readonly _tag: "Listed"; readonly symbols: ReadonlyArray<string> }
  | { readonly _tag: "Endpoint"; readonly url: string; readonly pointer: string; readonly key: string | null }
  | { readonly _tag: "Unknown" }

/** A vendor asked over HTTP, checked and with nothing left out. Sizes in bytes, durations in milliseconds. */
export interface HttpVendor {
  readonly adapter: "http"
  readonly name: string
  readonly description: string
  readonly account: string
  readonly url: string
  readonly method: "GET" | "POST"
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: Schema.Json
  readonly auth: AuthSpec | null
  readonly time: TimeSpelling
  readonly rangeText: RangeSpeller
  readonly paging: Paging | null
  readonly errors: ReadonlyArray<ErrorRule>
  readonly words: Readonly<Partial<Record<Timeframe, string>>>
  readonly decodingFor: (timeframe: Timeframe) => RowDecoding
  readonly symbols: SymbolSource
  readonly symbolCase: "upper" | "lower" | "exact"
  readonly pingUrl: string | null
  readonly dataset: string | null
  readonly price: "trade" | "bid" | "ask" | "mid"
  readonly session: SessionScope
  readonly currency: string | null
  readonly adjustment: Adjustment
  readonly requestPrice: number
  readonly limits: VendorLimits
  readonly policy: HttpPolicy
  /** Most bytes that a body may unpack to. */
  readonly unpackLimit: number
}
