import type { LifecycleEvent } from "../../domain/streams/StreamEvent.ts"
import type { EpochMillis } from "../../domain/TimeRange.ts"

/** Where a topic stands. `since` is when a gap was noticed, by our clock. */
export type Phase =
  | { readonly _tag: "starting" }
  | { readonly _tag: "live" }
  | { readonly _tag: "gap"; readonly from: EpochMillis; readonly since: EpochMillis; readonly reason: string }
  | { readonly _tag: "filling"; readonly from: EpochMillis; readonly to: EpochMillis }
  | { readonly _tag: "closed"; readonly event: Extract<LifecycleEvent, { readonly _tag: "Closed" }> }

/** What who joins is told of it. */
export const wordsOf = (phase: Phase): ReadonlyArray<LifecycleEvent> => {
  switch (phase._tag) {
    case "gap":
      return [{ _tag: "Gap", from: phase.from, reason: phase.reason }]
    case "filling":
      return [
        { _tag: "Gap", from: phase.from, reason: "the rows of a gap are being fetched" },
        { _tag: "Resumed", at: phase.to }
      ]
    case "closed":
      return [phase.event]
    default:
      return []
  }
}
