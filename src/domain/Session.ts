import { Schema } from "effect"
import { EpochMillis } from "./TimeRange.ts"

/** The number of a session in its archive; they grow and are never used twice. */
export const SessionId = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)), Schema.brand("SessionId"))
export type SessionId = typeof SessionId.Type

/** How a session works: one caller waiting, many at once, a bulk run, or a live stream. */
export const SessionMode = Schema.Literals(["sync", "async", "batch", "stream"])
export type SessionMode = typeof SessionMode.Type

/**
 * How a session ended. `partial`: some of its requests could not be served. `cancelled`: interrupted, or its process died
 * (`reason` says which).
 */
export const SessionOutcome = Schema.Literals(["ok", "partial", "failed", "cancelled"])
export type SessionOutcome = typeof SessionOutcome.Type

/** One audited run against one vendor. Instants are UTC epoch milliseconds; `endedAt` and `outcome` are null while it is open. */
export const Session = Schema.Struct({
  id: SessionId,
  source: Schema.String,
  mode: SessionMode,
  asOf: Schema.NullOr(EpochMillis),
  startedAt: EpochMillis,
  endedAt: Schema.NullOr(EpochMillis),
  outcome: Schema.NullOr(SessionOutcome),
  reason: Schema.NullOr(Schema.String)
})
export interface Session extends Schema.Schema.Type<typeof Session> {}
