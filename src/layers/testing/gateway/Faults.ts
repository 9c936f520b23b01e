/** Everything that can go wrong with a gateway, as values that are given to `inject`. Durations are milliseconds of simulated time. */

/** Which client a fault is for, by its client id; all of them unless given. */
interface Aimed {
  readonly clientId?: number
}

/** A frame as it must never come. */
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

export type Fault =
  /** The connection is closed, in order (`fin`) or reset (`rst`). */
  | ({ readonly _tag: "Drop"; readonly how: "fin" | "rst" } & Aimed)
  /** The next frame ends after so many of its bytes, the length's four included, and the connection with it. */
  | ({ readonly _tag: "CutFrame"; readonly bytes: number; readonly how: "fin" | "rst" } & Aimed)
  /** The next connections are closed when they have the version, before they are ready. */
  | { readonly _tag: "DropBeforeReady"; readonly connections: number }
  /** Half-open: the connection stays, nothing is answered and nothing sent; for good unless `forMillis` is given. */
  | ({ readonly _tag: "Mute"; readonly forMillis?: number } & Aimed)
  /** Nobody can connect. */
  | { readonly _tag: "Refuse"; readonly forMillis: number }
  /**
   * 1100, `times` (1) in a row; then nothing live until 1101 (every subscription is forgotten) or 1102 (they are kept, but the share
   * `silent` of them never sends again and does not say so).
   */
  | {
      readonly _tag: "UpstreamLost"
      readonly forMillis: number
      readonly restored: 1101 | 1102
      readonly times?: number
      readonly silent?: number
    }
  /** 2103, 2105 or 2157 for a farm, and 2104, 2106 or 2158 when it is back; the share `silent` of its subscriptions does not come back. */
  | {
      readonly _tag: "FarmBroken"
      readonly farm: Farm
      readonly forMillis: number
      readonly silent?: number
    }
  /** 10197 to whoever has live data, and no more of it, until it is taken back. */
  | { readonly _tag: "CompetingSession"; readonly active: boolean }
  /** No live data for a symbol: 354, or 10167 and delayed data where that was asked for. */
  | { readonly _tag: "Denied"; readonly symbol: string; readonly active: boolean }
  /** 326 to the next connections, which are closed then. */
  | { readonly _tag: "ClientIdInUse"; readonly connections: number }
  /** 100, as if too much had been asked; closed after it if it says so. */
  | ({ readonly _tag: "RateExceeded"; readonly disconnect?: boolean } & Aimed)
  /** The next requests for history are refused as too many. */
  | { readonly _tag: "HistoryPacing"; readonly requests: number }
  /** The next requests for history find nothing. */
  | { readonly _tag: "HistoryEmpty"; readonly requests: number }
  /** The next requests for five-second bars are refused with 420. */
  | { readonly _tag: "RealTimePacing"; readonly requests: number }
  /** Every day from `at` (HH:MM, UTC) on: 1100 each ten seconds, every connection dropped once, and 1101 when it is over. */
  | { readonly _tag: "NightlyReset"; readonly at: string; readonly forMillis: number; readonly active: boolean }
  /** Bytes that a client may leave unread. */
  | { readonly _tag: "SendBuffer"; readonly bytes: number }
  /** Share (0 to 1) of live messages that come twice. */
  | { readonly _tag: "Duplicates"; readonly share: number }
  /** Share (0 to 1) of live messages that come after the next one. */
  | { readonly _tag: "OutOfOrder"; readonly share: number }
  /** What it says of the current time is off by so much. */
  | { readonly _tag: "ClockSkew"; readonly millis: number }
  /** Live messages are held back for so long, and come all at once then. */
  | { readonly _tag: "Burst"; readonly forMillis: number }
  /** A damaged frame is sent; of `halfFrame` the other half never comes. */
  | ({ readonly _tag: "Malformed"; readonly what: Malformation } & Aimed)
  /** The next connections are told of another version of the server. */
  | { readonly _tag: "VersionReply"; readonly version: number; readonly connections: number }
  /** A bulletin to whoever subscribed to them. */
  | { readonly _tag: "Bulletin"; readonly text: string }
  /** 10225: bars of five seconds end until they are cancelled and asked for again. */
  | { readonly _tag: "BarsDeactivated" }
  /** What lasts is over at once. */
  | { readonly _tag: "Clear" }

/** `usfarm` has shares, options and indices, `usfuture` futures, `cashfarm` currencies, `ushmds` history, `secdefnj` contracts. */
export const farms = ["usfarm", "usfuture", "cashfarm", "ushmds", "secdefnj"] as const
export type Farm = (typeof farms)[number]

/** What lasts, and what waits for the next who connects or asks. */
export class FaultState {
  dropBeforeReady = 0
  clientIdInUse = 0
  historyPacing = 0
  historyEmpty = 0
  realTimePacing = 0
  versionReply = 0
  versionReplies = 0
  duplicates = 0
  outOfOrder = 0
  skew = 0
  burstUntil = 0
  upstreamLost = false
  competing = false
  /** Counts how often all was taken back: what was to come to an end before that does not. */
  epoch = 0
  readonly denied = new Set<string>()
  readonly broken = new Set<Farm>()

  clear(): void {
    const { broken, denied, epoch } = this
    Object.assign(this, new FaultState(), { broken, denied, epoch: epoch + 1 })
    this.denied.clear()
    this.broken.clear()
  }
}
