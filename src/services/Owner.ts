import { Context, type Effect, Schema } from "effect"
import { EpochMillis } from "../domain/TimeRange.ts"

/**
 * Who owns a data directory: its process, since when, and the Unix socket at which it speaks the RPC; null while it has none
 * (it is starting, or it is an app that serves nobody).
 */
export const OwnerDetails = Schema.Struct({
  pid: Schema.Int,
  startedAt: EpochMillis,
  /** The release that it runs. */
  product: Schema.String,
  socket: Schema.NullOr(Schema.String)
})
export interface OwnerDetails extends Schema.Schema.Type<typeof OwnerDetails> {}

/** Another process owns the data directory; `owner` is null while it has not said yet who it is. */
export class OwnedElsewhere extends Schema.TaggedError<OwnedElsewhere>()("OwnedElsewhere", {
  dataDir: Schema.String,
  owner: Schema.NullOr(OwnerDetails)
}) {}
/** The lock cannot be made or kept; `message` names the file and why. */
export class LockUnavailable extends Schema.TaggedError<LockUnavailable>()("LockUnavailable", {
  message: Schema.String
}) {}

/** Why this process does not own the data directory. */
export class OwnerError extends Schema.TaggedError<OwnerError>()("OwnerError", {
  reason: Schema.Union([OwnedElsewhere, LockUnavailable])
}) {
  override get message(): string {
    const reason = this.reason
    if (reason._tag === "LockUnavailable") return reason.message
    const who = reason.owner === null ? "another process" : `process ${reason.owner.pid}`
    const remedy =
      reason.owner === null || reason.owner.socket === null
        ? "stop it, or use another data directory"
        : "ask it over its socket, stop it, or use another data directory"
    return `${reason.dataDir} is in use by ${who}, which fetches for it; ${remedy}`
  }
}

/**
 * The right to fetch, to spend quota and to migrate in a data directory. One process has it at a time; the kernel takes it away
 * when that process dies, however it dies.
 */
export class Owner extends Context.Service<
  Owner,
  {
    readonly dataDir: string
    readonly startedAt: EpochMillis
    /** Publishes the socket at which this owner can be asked; null takes it back. */
    readonly announce: (socket: string | null) => Effect.Effect<void, OwnerError>
  }
>()("tapestry/Owner") {}
