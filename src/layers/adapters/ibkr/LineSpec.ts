/** A subscription at a gateway as who wants it describes it, and what it can hear. */
import type { IbkrErrorReason } from "../../../services/IbkrSession.ts"
import type { SubscriptionType } from "../../../services/Metrics.ts"
import type { HeldContract } from "./contractSpelled.ts"
import type { GatewayApi } from "./GatewayApi.ts"
import type { LineSort } from "./LineQuota.ts"

/** What a subscription can hear. Times are seconds since 1970; what IB does not say is undefined. */
export interface LineEvents {
  readonly tickPrice?: (type: number, price: number | undefined) => void
  readonly tickSize?: (type: number, size: number | undefined) => void
  readonly trade?: (
    time: number,
    price: number | undefined,
    size: number | undefined,
    exchange: string,
    conditions: string
  ) => void
  readonly bar?: (
    time: number,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    vwap: number,
    count: number
  ) => void
  /** A change of a book, as BookState takes it; returns what is wrong with it. */
  readonly depth?: (
    place: number,
    operation: number,
    side: number,
    price: number,
    size: number | undefined
  ) => string | null
  /** The gateway begins its book anew on this request. */
  readonly reset?: () => void
  /** `at` in milliseconds. */
  readonly news?: (at: number, id: string, headline: string) => void
  /** Of no request: everybody hears it. */
  readonly bulletin?: (number: number, text: string, exchange: string) => void
  readonly position?: (contract: HeldContract, count: number | undefined, averageCost: number | undefined) => void
  /** Of an account or, with a position and its value, of that position. */
  readonly profit?: (
    daily: number | undefined,
    unrealized: number | undefined,
    realized: number | undefined,
    position?: number | undefined,
    value?: number | undefined
  ) => void
  readonly accountValue?: (tag: string, value: string, currency: string) => void
  /** What is listed at the beginning has all come. */
  readonly listEnd?: () => void
  /** 1 live, 2 frozen, 3 delayed, 4 delayed and frozen. */
  readonly dataType?: (type: number) => void
  /** The frame of which the calls before this were part has ended. */
  readonly frameEnd?: () => void
  /** All that came at once from the socket has been told: for what is worth telling no more often than that. */
  readonly burstEnd?: () => void
}

/** A subscription, and who hears it. None of its functions may wait. */
export interface LineSpec extends LineEvents {
  readonly what: string
  readonly type: SubscriptionType
  /** Which of the account's limits it falls under; null: none. */
  readonly sort: LineSort | null
  /** It cannot be asked for yet, and will be by itself. `isCrowded`: since the account has no line for it. */
  readonly waits: (why: string, isCrowded?: boolean) => void
  readonly send: (api: GatewayApi, requestId: number) => void
  readonly cancel: (api: GatewayApi, requestId: number) => void
  /** It was asked for: what happens from now on comes. Again after `broke`. */
  readonly began: () => void
  /** What happens from now on does not come, until `began` or until something is heard. */
  readonly broke: (reason: string) => void
  /** It will not be asked for again. */
  readonly refused: (reason: IbkrErrorReason) => void
}
