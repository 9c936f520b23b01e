import { Context, type Effect, Schema } from "effect"
import { MarketStoreError } from "./MarketStore.ts"
import {
  type CompactReport,
  type GcReport,
  ProvenanceStoreError,
  type Retention,
  type TellsUpkeep
} from "./ProvenanceStore.ts"

/**
 * Only of a maintenance in another process: it could not be reached, went away in the middle, or refused the call. `again`: worth
 * repeating; what was done until then is done.
 */
export class MaintenanceUnavailable extends Schema.TaggedError<MaintenanceUnavailable>()("MaintenanceUnavailable", {
  again: Schema.Boolean,
  message: Schema.String
}) {}

/** Why the data directory could not be looked after; what was done before stays done. */
export class MaintenanceError extends Schema.TaggedError<MaintenanceError>()("MaintenanceError", {
  reason: Schema.Union([ProvenanceStoreError, MarketStoreError, MaintenanceUnavailable])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** Work on a data directory as a whole, done by whoever owns it, beside everything else that it does. */
export class Maintenance extends Context.Service<
  Maintenance,
  {
    /** Removes responses to which neither the market store nor a call that stays points; `apply` false only says which would go. */
    readonly gc: (
      options: { readonly retention: Retention; readonly apply: boolean },
      progress?: TellsUpkeep
    ) => Effect.Effect<GcReport, MaintenanceError>
    /** Compresses what was archived as it came, and gives free space back to the disk. */
    readonly compact: (progress?: TellsUpkeep) => Effect.Effect<CompactReport, MaintenanceError>
  }
>()("tapestry/Maintenance") {}
