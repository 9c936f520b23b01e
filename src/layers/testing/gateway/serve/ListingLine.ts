import { farmOf } from "../Gateway.ts"
import type { Listing } from "../market/Market.ts"
import { cancel, type Task } from "../VirtualTime.ts"
import type { Connection } from "./Connection.ts"
import type { Subscription, SubscriptionKind } from "./Subscription.ts"

/** What a client gets of one instrument as it happens, until it is cancelled: one task at a time, which schedules the next. */
export abstract class ListingLine implements Subscription {
  abstract readonly kind: SubscriptionKind
  readonly reqId: number
  readonly symbol: string
  readonly farm
  readonly live = true
  silent = false
  protected readonly connection: Connection
  protected readonly listing: Listing
  protected task: Task | null = null

  constructor(connection: Connection, reqId: number, listing: Listing) {
    this.connection = connection
    this.reqId = reqId
    this.listing = listing
    this.symbol = listing.instrument.name
    this.farm = farmOf(listing.instrument.secType)
  }

  readonly stop = () => cancel(this.task)
}
