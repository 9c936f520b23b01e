import { Context, type Effect, Schema, type Stream } from "effect"
import type { EpochMillis } from "../domain/TimeRange.ts"

const Said = { code: Schema.Int, message: Schema.String }

/** No gateway, or it went away: refused, silent, dropped, or its own line to IB is down. May succeed later. */
export class Disconnected extends Schema.TaggedError<Disconnected>()("Disconnected", { message: Schema.String }) {}
/** The gateway speaks a version of the protocol that this client does not; connecting again is of no use. */
export class Incompatible extends Schema.TaggedError<Incompatible>()("Incompatible", { message: Schema.String }) {}
/** Another client has this id at the gateway. */
export class ClientIdTaken extends Schema.TaggedError<ClientIdTaken>()("ClientIdTaken", {
  clientId: Schema.Int,
  message: Schema.String
}) {}
/** The account has no subscription for this. */
export class NoPermission extends Schema.TaggedError<NoPermission>()("NoPermission", Said) {}
/** Asked too often; worth another try after `retryAfter` milliseconds. */
export class PacingViolation extends Schema.TaggedError<PacingViolation>()("PacingViolation", {
  ...Said,
  retryAfter: Schema.Finite
}) {}
/** All lines of this sort that the account has are in use; another has to be given up first. */
export class LinesExhausted extends Schema.TaggedError<LinesExhausted>()("LinesExhausted", {
  ...Said,
  sort: Schema.Literals(["market-data", "depth", "tick-by-tick"])
}) {}
/** IB knows no such contract. */
export class NoSuchContract extends Schema.TaggedError<NoSuchContract>()("NoSuchContract", Said) {}
/** The account is logged in elsewhere, and the data goes there. */
export class CompetingSession extends Schema.TaggedError<CompetingSession>()("CompetingSession", Said) {}
/** Refused as it is: asking again is of no use. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", Said) {}
/** A request failed at IB in a way that may pass. */
export class RequestFailed extends Schema.TaggedError<RequestFailed>()("RequestFailed", Said) {}
/** What came cannot be read. */
export class Undecodable extends Schema.TaggedError<Undecodable>()("Undecodable", { message: Schema.String }) {}
/** No answer within `after` milliseconds. */
export class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", {
  message: Schema.String,
  after: Schema.Finite
}) {}
/** More is waiting to be sent than the session holds. */
export class OutboundFull extends Schema.TaggedError<OutboundFull>()("OutboundFull", { message: Schema.String }) {}

export const IbkrErrorReason = Schema.Union([
  Disconnected,
  Incompatible,
  ClientIdTaken,
  NoPermission,
  PacingViolation,
  LinesExhausted,
  NoSuchContract,
  CompetingSession,
  InvalidRequest,
  RequestFailed,
  Undecodable,
  NoAnswer,
  OutboundFull
])
export type IbkrErrorReason = typeof IbkrErrorReason.Type

/** What can go wrong between this process and a gateway, or between the gateway and IB. */
export class IbkrError extends Schema.TaggedError<IbkrError>()("IbkrError", { reason: IbkrErrorReason }) {
  override get message(): string {
    const { reason } = this
    return "code" in reason ? `${reason.message} (IB's code ${reason.code})` : reason.message
  }
}

/** One of IB's data farms, as the gateway last spoke of it. */
export const Farm = Schema.Struct({
  name: Schema.String,
  /** `market` has live data, `history` historical data, `definitions` contracts. */
  serves: Schema.Literals(["market", "history", "definitions"]),
  /** `inactive`: up again as soon as it is asked something. */
  state: Schema.Literals(["ok", "broken", "inactive", "connecting"])
})
export interface Farm extends Schema.Schema.Type<typeof Farm> {}

const Gateway = {
  /** Counts how often the session became ready: what was asked under another number is lost. */
  connection: Schema.Int,
  clientId: Schema.Int,
  serverVersion: Schema.Int,
  /** The gateway's own clock and zone at the handshake, as it wrote them. */
  connectedAt: Schema.String,
  accounts: Schema.Array(Schema.String),
  farms: Schema.Array(Farm),
  /** The gateway's clock minus ours in milliseconds, right to half a second; null until it was asked. */
  clockSkew: Schema.NullOr(Schema.Finite)
}

/**
 * Where a session is. `Idle`: nobody has needed it. `Handshaking`: the gateway answers; `serverVersion` is null until it has said it.
 * `Degraded`: connected, but the gateway's line to IB is down (`upstream`), or one of the farms in `farms` is broken.
 * `Reconnecting`: `attempt` (from 1) begins in `after` milliseconds. `Closed`: it will not connect again.
 */
export const IbkrState = Schema.TaggedUnion({
  Idle: {},
  Connecting: { attempt: Schema.Int, clientId: Schema.Int },
  Handshaking: { attempt: Schema.Int, clientId: Schema.Int, serverVersion: Schema.NullOr(Schema.Int) },
  Ready: Gateway,
  Degraded: { ...Gateway, upstream: Schema.Boolean },
  Reconnecting: { attempt: Schema.Int, after: Schema.Finite, clientId: Schema.Int, cause: IbkrErrorReason },
  Closed: { cause: Schema.NullOr(IbkrErrorReason) }
})
export type IbkrState = typeof IbkrState.Type

/** What happens to a session as a whole. Instants are the wall clock's, milliseconds. */
export type IbkrEvent =
  | { readonly _tag: "Connected"; readonly connection: number; readonly at: EpochMillis }
  | { readonly _tag: "Lost"; readonly connection: number; readonly at: EpochMillis; readonly cause: IbkrErrorReason }
  | { readonly _tag: "UpstreamLost"; readonly at: EpochMillis }
  /** With `dataLost` the gateway has forgotten all subscriptions. */
  | { readonly _tag: "UpstreamRestored"; readonly at: EpochMillis; readonly dataLost: boolean }
  | { readonly _tag: "FarmBroken" | "FarmRestored"; readonly at: EpochMillis; readonly farm: Farm }
  | { readonly _tag: "Notice"; readonly at: EpochMillis; readonly code: number; readonly message: string }

/** Counts since the session was made. */
export interface IbkrCounters {
  readonly frames: number
  readonly bytes: number
  /** Frames that ended their connection. */
  readonly damaged: number
  /** Frames that the library could not read and passed over. */
  readonly undecodable: number
  /** Answers to requests that nobody waited for any more. */
  readonly late: number
  readonly sent: number
  readonly reconnects: number
  /** How often it became ready. */
  readonly connections: number
  /** Subscriptions, asked for or to be asked for. */
  readonly lines: number
  /** Listeners that failed. */
  readonly defects: number
}

/**
 * One connection to TWS or an IB Gateway that outlives its sockets: made again whenever it is lost, paced, watched, and one for all
 * who use it. It connects when it is first needed.
 */
export class IbkrSession extends Context.Service<
  IbkrSession,
  {
    readonly state: Effect.Effect<IbkrState>
    /** The state now and every later one. */
    readonly changes: Stream.Stream<IbkrState>
    /** From the moment the stream is run; a reader that falls 1,024 events behind loses the oldest. */
    readonly events: Stream.Stream<IbkrEvent>
    /**
     * Connects where that is not done yet and gives the state once it is Ready or Degraded. Fails at once while a gateway that was
     * never there refuses, when the session is closed, and after the session's patience.
     */
    readonly ready: Effect.Effect<Extract<IbkrState, { readonly _tag: "Ready" | "Degraded" }>, IbkrError>
    readonly counters: Effect.Effect<IbkrCounters>
  }
>()("tapestry/IbkrSession") {}
