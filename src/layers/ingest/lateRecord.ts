import { Effect } from "effect"
import type { ProvenanceStoreError } from "../../services/ProvenanceStore.ts"

/**
 * Logs that the end of a session or a call could not be written down; the next start closes it. Not worth a warning on a full disk,
 * which whoever ran into it is told by an error that says what to do.
 */
export const lateRecord = (error: ProvenanceStoreError, what: string): Effect.Effect<void> =>
  error.reason._tag === "ArchiveFull" ? Effect.logDebug(what) : Effect.logWarning(what)
