import type { Farm } from "./Faults.ts"
import type { SubscriptionKind } from "./serve/Subscription.ts"

/** What lasts, and what waits for the next who connects or asks. */
export class FaultState {
  dropBeforeReady = 0
  clientIdInUse = 0
  historyPacing = 0
  historyEmpty = 0
  realTimePacing = 0
  leftOut = 0
  versionReply = 0
  versionReplies = 0
  duplicates = 0
  /** Of which kind; null: of all. */
  duplicated: SubscriptionKind | null = null
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
