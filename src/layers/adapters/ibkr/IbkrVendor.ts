/**
 * A vendor of `adapter: ibkr`: what `tapestry.yaml` may say of it, and what holds where it says nothing. The names IB_HOST, IB_PORT and
 * IB_CLIENT_ID of the environment are above the file, for the vendor called `ibkr`; where no vendor is of this kind they make one.
 */
import { Result, Schema } from "effect"
import { QuotaWindow } from "../../../domain/VendorLimits.ts"
import type { DocumentProblem } from "../../config/issueProblems.ts"
import { Millis } from "../../config/units.ts"
import type { SessionOptions } from "./IbkrSessionLive.ts"
import type { LineLimits } from "./LineQuota.ts"
import { isResetWindow, resetsByRegion } from "./resetWindows.ts"

const Text = Schema.NonEmptyString
const Port = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 })).annotate({
  expected: "a port from 1 to 65535, such as 4001 (gateway), 4002 (paper), 7496 or 7497 (TWS)"
})
const ClientId = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2_147_483_000 })).annotate({
  expected: "a client id: a whole number from 0 to 2147483000"
})
const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 32 })).annotate({
  expected: "a whole number from 1 to 32"
})
const LineCount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 })).annotate({
  expected: "how many of these lines the account has: a whole number from 0 on"
})
const Rate = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 42 })).annotate({
  expected: "messages a second, from 1 to 42: with bursts of 8 no second has more than IB's 50"
})

const Resets = Schema.Union([
  Schema.Literals(["america", "europe", "asia", "none"]),
  Schema.Array(Schema.String.check(Schema.makeFilter(isResetWindow)))
]).annotate({
  expected:
    'america, europe, asia, none, or a list of times such as "00:15-01:45 America/New_York" ("Fri 23:00-03:00 …" of one day)'
})

export const IbkrVendorSpec = Schema.Struct({
  adapter: Schema.Literal("ibkr").annotate({ expected: '"ibkr", the kind of adapter' }),
  description: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Text.annotate({ expected: "the name of an account" })),
  host: Schema.optionalKey(Text.annotate({ expected: "the name or address of a gateway's machine" })),
  port: Schema.optionalKey(Port),
  clientId: Schema.optionalKey(ClientId),
  clientIds: Schema.optionalKey(Count),
  calendar: Schema.optionalKey(Schema.NullOr(Text).annotate({ expected: "the name of a calendar, such as XNYS" })),
  requestsPerSecond: Schema.optionalKey(Rate),
  delayed: Schema.optionalKey(Schema.Boolean.annotate({ expected: "true or false" })),
  lines: Schema.optionalKey(
    Schema.Struct({
      marketData: Schema.optionalKey(LineCount),
      depth: Schema.optionalKey(LineCount),
      tickByTick: Schema.optionalKey(LineCount)
    })
  ),
  allowOrders: Schema.optionalKey(Schema.Boolean.annotate({ expected: "true or false" })),
  patience: Schema.optionalKey(Millis),
  timeout: Schema.optionalKey(Millis),
  rest: Schema.optionalKey(Millis),
  resets: Schema.optionalKey(Resets),
  upstreamPatience: Schema.optionalKey(Millis),
  finalityDelay: Schema.optionalKey(Millis),
  provisionalFor: Schema.optionalKey(Millis),
  recheckAfter: Schema.optionalKey(Schema.NullOr(Millis).annotate({ expected: "a duration, such as 3d, or null" })),
  quota: Schema.optionalKey(
    Schema.Struct({
      concurrency: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0))),
      maxInFlight: Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isGreaterThan(0)))),
      windows: Schema.optionalKey(Schema.Array(QuotaWindow))
    })
  )
})
export interface IbkrVendorSpec extends Schema.Schema.Type<typeof IbkrVendorSpec> {}

/** A gateway and how it is asked, checked. Durations are milliseconds, sizes bytes. */
export interface IbkrVendor {
  readonly adapter: "ibkr"
  readonly name: string
  readonly description: string
  readonly account: string
  readonly host: string
  readonly port: number
  readonly clientId: number
  /** How many ids from `clientId` on are this client's, where one of them is taken. */
  readonly clientIds: number
  readonly calendar: string | null
  readonly requestsPerSecond: number
  /** Whether delayed live data are taken where the account may not have others. */
  readonly delayed: boolean
  /** Subscriptions that the account has at once. */
  readonly lines: LineLimits
  /** Whether orders may be sent. */
  readonly allowOrders: boolean
  readonly patience: number
  /** How long an answer may take. */
  readonly timeout: number
  /** How long the vendor is left alone after a pacing violation. */
  readonly rest: number
  /** When IB resets its servers; see `resetEnd`. */
  readonly resets: ReadonlyArray<string>
  /** How long a gateway may be without IB, outside of a reset, before it is connected to anew. */
  readonly upstreamPatience: number
  readonly finalityDelay: number
  readonly provisionalFor: number
  readonly recheckAfter: number | null
  readonly maxBytes: number
  readonly concurrency: number
  readonly maxInFlight: number | null
  /** Null: those of IB's documentation. */
  readonly windows: ReadonlyArray<QuotaWindow> | null
  /** Which of its keys somebody has given; the others are defaults. */
  readonly given: ReadonlyArray<string>
}

const minute = 60_000
const maxAnswer = 64 * 1_048_576

/** Checks a decoded vendor and fills in what it leaves out. `payloadLimit` (bytes) is what the archive takes. */
export const resolveVendor = (
  name: string,
  spec: Partial<IbkrVendorSpec>,
  payloadLimit: number
): Result.Result<IbkrVendor, ReadonlyArray<DocumentProblem>> =>
  Result.succeed({
    adapter: "ibkr",
    name,
    description: spec.description ?? "Interactive Brokers, through TWS or an IB Gateway",
    account: spec.account ?? name,
    host: spec.host ?? "127.0.0.1",
    port: spec.port ?? 4001,
    clientId: spec.clientId ?? 7,
    clientIds: spec.clientIds ?? 8,
    calendar: spec.calendar ?? null,
    requestsPerSecond: spec.requestsPerSecond ?? 40,
    delayed: spec.delayed ?? false,
    lines: {
      "market-data": spec.lines?.marketData ?? 100,
      depth: spec.lines?.depth ?? 3,
      "tick-by-tick": spec.lines?.tickByTick ?? 3
    },
    allowOrders: spec.allowOrders ?? false,
    patience: spec.patience ?? 15_000,
    timeout: spec.timeout ?? minute,
    rest: spec.rest ?? minute,
    resets: typeof spec.resets === "object" ? spec.resets : resetsByRegion[spec.resets ?? "america"],
    upstreamPatience: spec.upstreamPatience ?? 3 * minute,
    finalityDelay: spec.finalityDelay ?? minute,
    provisionalFor: spec.provisionalFor ?? minute,
    recheckAfter: spec.recheckAfter ?? null,
    maxBytes: Math.min(payloadLimit, maxAnswer),
    concurrency: spec.quota?.concurrency ?? 8,
    maxInFlight: spec.quota?.maxInFlight === undefined ? 50 : spec.quota.maxInFlight,
    windows: spec.quota?.windows ?? null,
    given: Object.keys(spec).filter((key) => key !== "adapter")
  })

/** How a session with the vendor's gateway behaves. */
export const sessionOptions = (
  vendor: Pick<
    IbkrVendor,
    | "host"
    | "port"
    | "clientId"
    | "clientIds"
    | "requestsPerSecond"
    | "delayed"
    | "lines"
    | "patience"
    | "maxBytes"
    | "resets"
    | "upstreamPatience"
  >
): SessionOptions => ({
  host: vendor.host,
  port: vendor.port,
  clientId: vendor.clientId,
  clientIds: vendor.clientIds,
  rate: vendor.requestsPerSecond,
  burst: 8,
  capacity: 10_000,
  deadlines: { tcp: 5_000, version: 5_000, ready: 10_000 },
  probeAfter: 10_000,
  silence: 25_000,
  maxAnswer: vendor.maxBytes,
  marketDataType: vendor.delayed ? 3 : 1,
  lines: vendor.lines,
  reconnect: { first: 1_000, most: 30_000, clientId: 5_000, inReset: minute },
  resets: vendor.resets,
  upstreamPatience: vendor.upstreamPatience,
  patience: vendor.patience
})
