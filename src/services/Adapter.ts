import { Context, type Duration, type Effect, Schema, type Scope, type Stream } from "effect"
import type { Bar } from "../domain/Bar.ts"
import type { CorporateAction } from "../domain/CorporateAction.ts"
import type { NewOrder, OrderState } from "../domain/Order.ts"
import type { RequestMethod } from "../domain/Request.ts"
import type { ResponseMetadata } from "../domain/Response.ts"
import { Adjustment, PriceBasis, type SeriesKey, SeriesKind, SessionScope } from "../domain/SeriesKey.ts"
import type { SymbolPeriod } from "../domain/SymbolChange.ts"
import { Timeframe } from "../domain/Timeframe.ts"
import type { EpochMillis, TimeRange } from "../domain/TimeRange.ts"
import type { VendorLimits } from "../domain/VendorLimits.ts"
import type { LookupCapability } from "./LookupCapability.ts"
import type { AnswerBody } from "./PayloadDraft.ts"
import type { StreamCapability } from "./StreamCapability.ts"
import type { TickHistory } from "./TickHistory.ts"
import type { SessionCapability } from "./VendorSession.ts"

/** The vendor, or the account at it, is over a limit; worth another try after `retryAfter` milliseconds. */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", { retryAfter: Schema.Finite }) {}
/** The account may not have this; `message` is the vendor's own word. */
export class NotEntitled extends Schema.TaggedError<NotEntitled>()("NotEntitled", { message: Schema.String }) {}
/** The vendor does not know the symbol or dataset. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { message: Schema.String }) {}
/** No answer: network, a dead server, a file that cannot be read now. May succeed later. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", { message: Schema.String }) {}
/** The vendor refused the request as it is; asking again is of no use. */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", { message: Schema.String }) {}
/** The adapter cannot ask this: a kind, timeframe, session or adjustment it does not offer. `message` lists what it does. */
export class Unsupported extends Schema.TaggedError<Unsupported>()("Unsupported", { message: Schema.String }) {}
/** The answer cannot be read; `position` counts as in Lineage, null when the payload as a whole is at fault. */
export class Malformed extends Schema.TaggedError<Malformed>()("Malformed", {
  position: Schema.NullOr(Schema.Int),
  message: Schema.String
}) {}

/**
 * It was sent, and the vendor has not said what became of it: it may have been done. Nothing sends it again by itself. `reference` is what the
 * vendor knows it by.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()("OutcomeUnknown", {
  reference: Schema.String,
  message: Schema.String
}) {}

export const VendorErrorReason = Schema.Union([
  Throttled,
  NotEntitled,
  NotFound,
  Unavailable,
  Rejected,
  Unsupported,
  Malformed,
  OutcomeUnknown
])
export type VendorErrorReason = typeof VendorErrorReason.Type

/** What can go wrong between an adapter and its vendor. */
export class VendorError extends Schema.TaggedError<VendorError>()("VendorError", {
  vendor: Schema.String,
  reason: VendorErrorReason
}) {
  override get message(): string {
    return this.reason._tag === "Throttled"
      ? `${this.vendor}: throttled; try again in ${Math.ceil(this.reason.retryAfter / 1000)} s`
      : `${this.vendor}: ${this.reason.message}`
  }
}

/** What a user says of a series; the adapter fills in and normalises the rest. */
export const SeriesQuery = Schema.Struct({
  symbol: Schema.String,
  kind: SeriesKind,
  timeframe: Schema.NullOr(Timeframe),
  dataset: Schema.optionalKey(Schema.String),
  price: Schema.optionalKey(PriceBasis),
  session: Schema.optionalKey(SessionScope),
  currency: Schema.optionalKey(Schema.String),
  adjustment: Schema.optionalKey(Adjustment)
})
export interface SeriesQuery extends Schema.Schema.Type<typeof SeriesQuery> {}

/**
 * A request in the vendor's terms. Whatever changes the answer is in `kind`, `method`, `params` or `body`; credentials are in
 * none of them. `weight` and `keys` are what the quota charges.
 */
export interface VendorRequest {
  readonly kind: string
  readonly method: RequestMethod
  readonly params: Schema.Json
  readonly body: Schema.Json
  readonly weight: number
  readonly keys: Readonly<Record<string, string>>
}

/**
 * What the vendor sent. An answer that says no (throttled, not found, not entitled, an error page) is still an answer: its
 * bytes are archived, and `refusal` says what it meant. Only when there are no bytes at all does `fetch` fail.
 */
export interface VendorAnswer {
  /** As it was on the wire. Large ones are written to a draft while they come: see PayloadDrafts. */
  readonly body: AnswerBody
  readonly metadata: ResponseMetadata
  readonly refusal: VendorErrorReason | null
  /**
   * Given where the body broke off, with how. The bytes that came are archived as `partial` and prove nothing: without a
   * refusal, or with one that only a whole answer can prove (NotFound, NotEntitled), the attempt counts as Unavailable.
   */
  readonly brokenOff?: string
  /**
   * True when the vendor said that nothing has changed since the answer whose `Validators` it was shown. `body` is empty then,
   * and the earlier bytes are the answer.
   */
  readonly notModified?: boolean
}

/**
 * The rows of one payload that lie in the range asked for, ascending by `ts`, one per stamp. `positions[i]` belongs to
 * `bars[i]`. `rejected` are rows that a lenient configuration dropped, with their position and the reason.
 */
export interface DecodedBars {
  readonly bars: ReadonlyArray<Bar>
  readonly positions: ReadonlyArray<number>
  readonly rejected: ReadonlyArray<{ readonly position: number; readonly reason: string }>
  /** Absent: the payload says nothing of corporate actions. */
  readonly actions?: DecodedActions
  /** True where prices at or below zero are as they should be (spreads, energy); absent: they are refused. */
  readonly allowNonPositivePrices?: boolean
  /** Given where this payload is one page of its answer. */
  readonly page?: PageOfAnswer
}

/**
 * An answer that comes in pages is several exchanges, each archived and applied for itself. A page proves the stamps from `from`
 * to before `until` and says nothing of the rest of its range, for which `next` is what to ask: null on the last page, whose `until`
 * is the end of the range. A page that cannot be followed (`next` is a reason) still proves what it has.
 */
export interface PageOfAnswer {
  readonly from: EpochMillis
  readonly until: EpochMillis
  readonly next: VendorRequest | VendorErrorReason | null
  /** What the vendor calls the next page (a cursor, a number, an address): a page that was there before is never the next one. */
  readonly mark: string | null
  /** True when pages before it had rows: a stretch without rows is then covered by an answer that has some, not empty. */
  readonly continued: boolean
  /** A stretch in front of all pages that has no rows, as the last page proves; null where there is none. */
  readonly quiet: TimeRange | null
}

/**
 * The corporate actions that a payload tells of. `positions[i]` belongs to `rows[i]`. `complete` is the range of ex-dates about
 * which it tells all: what is stored there and missing here was withdrawn by the vendor. Null: it only adds.
 */
export interface DecodedActions {
  readonly rows: ReadonlyArray<CorporateAction>
  readonly positions: ReadonlyArray<number>
  readonly complete: TimeRange | null
}

/**
 * The piece of a payload that a position names: `label` says what it is (`line 4712 of sp500-2000.csv`). Where the payload is one
 * JSON document, `pointer` is the JSON pointer (RFC 6901) of the piece in it; absent elsewhere.
 */
export const Excerpt = Schema.Struct({
  label: Schema.String,
  text: Schema.String,
  pointer: Schema.optionalKey(Schema.String)
})
export interface Excerpt extends Schema.Schema.Type<typeof Excerpt> {}

/** What `decode` and `locate` may depend on beside the bytes: the series, the range, and request and answer as they were archived. */
export interface Decoding {
  readonly series: SeriesKey
  readonly range: TimeRange
  readonly request: Pick<VendorRequest, "kind" | "method" | "params" | "body">
  /** What came with the bytes: their content encoding, above all. Absent: they are plain. */
  readonly metadata?: ResponseMetadata
}

/** By what a vendor knows an earlier answer again (`ETag` and `Last-Modified` as it sent them). */
export interface Validators {
  readonly etag: string | null
  readonly lastModified: string | null
}

/**
 * Provided while `fetch` runs when the archive has an answer to the same request and only wants to know whether it still holds.
 * An adapter that can asks with a condition, and answers `notModified`; one that cannot need not look.
 */
export const Revalidating = Context.Reference<Validators | null>("tapestry/Revalidating", {
  defaultValue: () => null
})

/**
 * What an adapter calls inside `fetch` when the first byte of an answer has come, where it can tell: from then on the fetch is
 * finished and archived even when everybody who asked has left. One that never calls it counts as begun when it returns.
 */
export const FirstByte = Context.Reference<() => void>("tapestry/FirstByte", { defaultValue: () => () => {} })

/** The capability to answer a range. All functions but `fetch` are pure in their inputs. */
export interface FetchCapability {
  /** The identity of the series that a user means; fails with Unsupported, or NotFound when the vendor cannot have it. */
  readonly series: (query: SeriesQuery) => Effect.Effect<SeriesKey, VendorError>
  /**
   * The symbols that the vendor had for a series, where they changed: sorted, all of time. No request may reach from one into
   * another. Absent: one for ever.
   */
  readonly symbolPeriods?: (series: SeriesKey) => ReadonlyArray<SymbolPeriod>
  /** The request for a range that the planner has cut to the limits. */
  readonly request: (series: SeriesKey, range: TimeRange) => Effect.Effect<VendorRequest, VendorError>
  /** One attempt: no retry, no pacing, no caching in here; those are the session's and the quota's. */
  readonly fetch: (request: VendorRequest) => Effect.Effect<VendorAnswer, VendorError>
  /** Reads archived bytes. Deterministic: the same bytes give the same rows in every process. */
  readonly decode: (payload: Uint8Array, decoding: Decoding) => Effect.Effect<DecodedBars, VendorError>
  /**
   * As `decode`, of a payload that may not be held in memory whole; it is read once. Absent: such payloads are refused, and stay
   * in the archive.
   */
  readonly decodeStream?: <E>(
    payload: Stream.Stream<Uint8Array, E>,
    decoding: Decoding
  ) => Effect.Effect<DecodedBars, VendorError | E>
  /** The piece of the payload behind a row. */
  readonly locate: (payload: Uint8Array, position: number, decoding: Decoding) => Effect.Effect<Excerpt, VendorError>
  /** As `locate`, of a payload that may not be held in memory whole; it is read once, to its end. Absent: no piece of such a payload is shown. */
  readonly locateStream?: <E>(
    payload: Stream.Stream<Uint8Array, E>,
    position: number,
    decoding: Decoding
  ) => Effect.Effect<Excerpt, VendorError | E>
  /**
   * The trading calendar of a series (`XNYS`) where that is not the one of `limits.calendar`; null: none. A vendor of many exchanges
   * tells them apart here.
   */
  readonly calendar?: (series: SeriesKey) => string | null
  /** The price of a request in the vendor's currency; 0 for free. */
  readonly cost: (request: VendorRequest) => number
  /**
   * Raised whenever the same bytes may decode to other rows than before; such responses are applied again. With `decoders` the
   * highest of their versions.
   */
  readonly decoderVersion: number
  /**
   * Given where the vendor's format has changed, instead of `decode`: which decoder reads an answer follows from when it was asked
   * for. `datedDecoders` makes this and the three above.
   */
  readonly decoders?: ReadonlyArray<Decoder>
}

/** One form in which a vendor has sent its answers: how to read it, and since when it has been sent. */
export interface Decoder extends Pick<FetchCapability, "decode" | "decodeStream"> {
  readonly version: number
  /** The `askedAt` of the first answers in this form, or an instant between them and the ones before. */
  readonly from: EpochMillis
}

/** The capability to send orders. What reads them (`list`) are ordinary requests of `fetch`. */
export interface SendCapability {
  /**
   * The request for an order, with the number by which the vendor will know it: what is archived before anything is sent. `key` goes with the
   * order, so that it can be found by it. Sends nothing.
   */
  readonly place: (order: NewOrder, key: string) => Effect.Effect<VendorRequest, VendorError>
  /** `client`: whose number it is; null: that of the configuration. Fails where the vendor knows us as another. Sends nothing. */
  readonly cancel: (order: number, client: number | null) => Effect.Effect<VendorRequest, VendorError>
  /**
   * Sends a request that one of those two has made, once and never again. Fails only where nothing was sent. What was sent and has no
   * acknowledgement is an answer whose refusal is OutcomeUnknown, with the bytes that came.
   */
  readonly send: (request: VendorRequest) => Effect.Effect<VendorAnswer, VendorError>
  /** What to ask for all orders that are at work, and those that are over which the vendor still tells of. */
  readonly list: ReadonlyArray<VendorRequest>
  /** The orders of which archived bytes speak. */
  readonly decode: (payload: Uint8Array) => Effect.Effect<ReadonlyArray<OrderState>, VendorError>
}

/** What a probe of the vendor found. */
export interface PingReport {
  readonly ok: boolean
  readonly elapsed: Duration.Duration
  /** What was probed and what it said. */
  readonly detail: string
}

/**
 * A vendor as the runtime sees it. It is made inside a scope and owns its resources there; the registry closes that scope.
 */
export interface Adapter {
  /** The vendor's name: lower-case letters, digits, `-`, `_` and `.`. */
  readonly name: string
  /** The kind of adapter that it is (`file`, `yahoo`). */
  readonly type: string
  readonly description: string
  /** The account whose quota its requests draw on; adapters of one account share it. */
  readonly account: string
  readonly limits: VendorLimits
  /** True where rows come by import alone: a read asks nobody, whatever its policy. */
  readonly storedOnly?: boolean
  readonly fetch?: FetchCapability
  readonly send?: SendCapability
  readonly stream?: StreamCapability
  /** Sent by `fetch`, without which it is of no use. */
  readonly ticks?: TickHistory
  /** Sent by `fetch`, without which they are of no use. */
  readonly lookups?: LookupCapability
  /** Where it has a lasting connection. */
  readonly session?: SessionCapability
  /** Known symbols where the vendor can list them; empty where it cannot. */
  readonly symbols: Effect.Effect<ReadonlyArray<string>, VendorError>
  /** A real probe of the vendor, not of the adapter. */
  readonly ping: Effect.Effect<PingReport, VendorError>
}

/** How adapters are made: in a scope, from configuration that has been checked. */
export type MakeAdapter<E = never, R = never> = Effect.Effect<Adapter, E, R | Scope.Scope>
