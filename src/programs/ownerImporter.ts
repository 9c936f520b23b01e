import { Effect } from "effect"
import type { SessionId, SessionOutcome } from "../domain/Session.ts"
import type { TapestryClient } from "../rpc/client/TapestryClient.ts"
import type { ImportSegment, ImportSpec } from "../services/Imports.ts"

/** The process that owns the data directory, as an importer. */
export const ownerImporter = (client: TapestryClient["Service"]) => ({
  begin: client["Import.begin"](),
  segment: (session: SessionId, spec: ImportSpec, segment: ImportSegment, turn: Effect.Effect<void> = Effect.void) =>
    Effect.andThen(turn, client["Import.segment"]({ session, spec, ...segment })),
  end: (session: SessionId, outcome: SessionOutcome, reason: string | null) =>
    client["Import.end"]({ session, outcome, reason })
})
