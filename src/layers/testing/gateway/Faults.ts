/**
 * Everything that can go wrong with a gateway, as values that are given to `inject`, and that a scenario lists. Durations are milliseconds of simulated
 * time, shares are from 0 to 1. `clientId` says which client a fault is for; all of them unless given.
 */
import { Schema } from "effect"

const share = Schema.Finite.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1 })))
const count = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))
const millis = Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: 366 * 86_400_000 })))
const how = Schema.Literals(["fin", "rst"])
const aimed = { clientId: Schema.optionalKey(Schema.Int) }

/** Frames as they must never come. */
export const malformations = [
  "halfFrame",
  "everyByteApart",
  "coalesced",
  "zeroLength",
  "negativeLength",
  "hugeLength",
  "noTrailingNul",
  "unknownId",
  "missingField",
  "extraField",
  "invalidJson",
  "negativeCount",
  "nonUtf8"
] as const
export type Malformation = (typeof malformations)[number]

/** `usfarm` has shares, options and indices, `usfuture` futures, `cashfarm` currencies, `ushmds` history, `secdefnj` contracts. */
export const farms = ["usfarm", "usfuture", "cashfarm", "ushmds", "secdefnj"] as const
export type Farm = (typeof farms)[number]

export const Fault = Schema.TaggedUnion({
  /** The connection is closed, in order (`fin`) or reset (`rst`). */
  Drop: { how, ...aimed },
  /** The next frame ends after so many of its bytes, the length's four included, and the connection with it. */
  CutFrame: { bytes: count, how, ...aimed },
  /** The next connections are closed when they have the version, before they are ready. */
  DropBeforeReady: { connections: count },
  /** Half-open: the connection stays, nothing is answered and nothing sent; for good unless `forMillis` is given. */
  Mute: { forMillis: Schema.optionalKey(millis), ...aimed },
  /** Nobody can connect. */
  Refuse: { forMillis: millis },
  /** 1300: it listens on another port from now on, any that is free, and every connection is closed. */
  PortChanged: {},
  /**
   * 1100, `times` (1) in a row; then nothing live until 1101 (every subscription is forgotten) or 1102 (they are kept, but the share
   * `silent` of them never sends again and does not say so).
   */
  UpstreamLost: {
    forMillis: millis,
    restored: Schema.Literals([1101, 1102]),
    times: Schema.optionalKey(count),
    silent: Schema.optionalKey(share)
  },
  /** 2103, 2105 or 2157 for a farm, and 2104, 2106 or 2158 when it is back; the share `silent` of its subscriptions does not come back. */
  FarmBroken: { farm: Schema.Literals(farms), forMillis: millis, silent: Schema.optionalKey(share) },
  /** 10197 to whoever has live data, and no more of it, until it is taken back. */
  CompetingSession: { active: Schema.Boolean },
  /** No live data for a symbol: 354, or 10167 and delayed data where that was asked for. */
  Denied: { symbol: Schema.NonEmptyString, active: Schema.Boolean },
  /** 326 to the next connections, which are closed then. */
  ClientIdInUse: { connections: count },
  /** 100, as if too much had been asked; closed after it if it says so. With `leavesOut` the next so many requests are left out, each with a 100. */
  RateExceeded: { disconnect: Schema.optionalKey(Schema.Boolean), leavesOut: Schema.optionalKey(count), ...aimed },
  /** The next requests for history are refused as too many. */
  HistoryPacing: { requests: count },
  /** The next requests for history find nothing. */
  HistoryEmpty: { requests: count },
  /** The next requests for five-second bars are refused with 420. */
  RealTimePacing: { requests: count },
  /** Every day from `at` (HH:MM, UTC) on: 1100 each ten seconds, every connection dropped once, and 1101 when it is over. */
  NightlyReset: {
    at: Schema.String.pipe(Schema.check(Schema.isPattern(/^([01]\d|2[0-3]):[0-5]\d$/))),
    forMillis: millis,
    active: Schema.Boolean
  },
  /** Bytes that a client may leave unread. */
  SendBuffer: { bytes: count },
  /** Share of live messages, or of those of one kind, that come twice. */
  Duplicates: { share, of: Schema.optionalKey(Schema.Literals(["quote", "tickByTick", "depth", "bars"])) },
  /** Share of live messages that come after the next one. */
  OutOfOrder: { share },
  /** What it says of the current time is off by so much. */
  ClockSkew: { millis: Schema.Int },
  /** Live messages are held back for so long, and come all at once then. */
  Burst: { forMillis: millis },
  /** A damaged frame is sent; of `halfFrame` the other half never comes. */
  Malformed: { what: Schema.Literals(malformations), ...aimed },
  /** The next connections are told of another version of the server. */
  VersionReply: { version: Schema.Int, connections: count },
  /** A bulletin to whoever subscribed to them. */
  Bulletin: { text: Schema.String },
  /** 10225: bars of five seconds end until they are cancelled and asked for again. */
  BarsDeactivated: {},
  /** What lasts is over at once. */
  Clear: {}
})
export type Fault = typeof Fault.Type
