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
  socket: Schema.NullOr(Schema.String),
  /** `host:port/database` of the PostgreSQL that has its rows; absent: market.sqlite in the directory. */
  store: Schema.optionalKey(Schema.String),
  /** The tenant that it works for where a call names none; absent: the default one. */
  tenant: Schema.optionalKey(Schema.String)
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

/** The owner was asked, and did not answer within `waitedMillis`: it hangs, was stopped, or is far too busy. */
export class OwnerSilent extends Schema.TaggedError<OwnerSilent>()("OwnerSilent", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  waitedMillis: Schema.Finite
}) {}
/** The owner was asked, and refused for as long as was waited: `max` of `limit` are open there already. */
export class OwnerBusy extends Schema.TaggedError<OwnerBusy>()("OwnerBusy", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  limit: Schema.Literals(["calls", "streams", "connections"]),
  max: Schema.Int,
  waitedMillis: Schema.Finite
}) {}
/** The owner's socket is for its user alone, and this is another. */
export class OwnerForbidden extends Schema.TaggedError<OwnerForbidden>()("OwnerForbidden", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  socket: Schema.String
}) {}
/** The owner speaks another version of the protocol; null: it could not be understood at all. */
export class OtherProtocol extends Schema.TaggedError<OtherProtocol>()("OtherProtocol", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  protocol: Schema.NullOr(Schema.Int),
  ours: Schema.Struct({ product: Schema.String, protocol: Schema.Int })
}) {}
/** The owner runs with another configuration, which lacks a vendor that this one has. */
export class UnknownToOwner extends Schema.TaggedError<UnknownToOwner>()("UnknownToOwner", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  vendor: Schema.String,
  known: Schema.Array(Schema.String)
}) {}

/** The owner keeps its rows in another store than this command would read; null: market.sqlite in the directory. */
export class OtherStore extends Schema.TaggedError<OtherStore>()("OtherStore", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  ours: Schema.NullOr(Schema.String)
}) {}

/** The owner works for another tenant than this command, and its release knows no other. */
export class OtherTenant extends Schema.TaggedError<OtherTenant>()("OtherTenant", {
  dataDir: Schema.String,
  owner: OwnerDetails,
  ours: Schema.String
}) {}

/** Why this process does not own the data directory, and cannot have what it needs from the one that does. */
export class OwnerError extends Schema.TaggedError<OwnerError>()("OwnerError", {
  reason: Schema.Union([
    OwnedElsewhere,
    LockUnavailable,
    OwnerSilent,
    OwnerBusy,
    OwnerForbidden,
    OtherProtocol,
    UnknownToOwner,
    OtherStore,
    OtherTenant
  ])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "LockUnavailable":
        return reason.message
      case "OwnedElsewhere": {
        const who = reason.owner === null ? "another process" : `process ${reason.owner.pid}`
        const remedy =
          reason.owner === null || reason.owner.socket === null
            ? "stop it, or use another data directory"
            : "ask it over its socket, stop it, or use another data directory"
        return `${reason.dataDir} is in use by ${who}, which fetches for it; ${remedy}`
      }
      case "OwnerSilent":
        return `process ${reason.owner.pid}, which fetches for ${reason.dataDir}, has not answered for ${Math.round(reason.waitedMillis / 1000)} s; if it hangs, end it (kill -9 ${reason.owner.pid}) and try again: nothing that is archived is lost`
      case "OwnerBusy":
        return `process ${reason.owner.pid}, which fetches for ${reason.dataDir}, is too busy: it had ${reason.max} ${reason.limit} open, and no room for ${Math.round(reason.waitedMillis / 1000)} s; end some of its clients, or try again later`
      case "OwnerForbidden":
        return `process ${reason.owner.pid} fetches for ${reason.dataDir}, and only its own user may ask it (${reason.socket}); run the command as that user`
      case "OtherProtocol": {
        const { owner, ours, protocol } = reason
        const theirs = protocol === null ? "which cannot be understood" : `protocol ${protocol}`
        return `process ${owner.pid}, which fetches for ${reason.dataDir}, is Tapestry ${owner.product} (${theirs}), and this is ${ours.product} (protocol ${ours.protocol}); stop it and start it with this release, or run the command with that one`
      }
      case "UnknownToOwner":
        return `process ${reason.owner.pid}, which fetches for ${reason.dataDir}, has no vendor named ${reason.vendor}; it knows: ${reason.known.length === 0 ? "none" : reason.known.join(", ")}. Start it again with the configuration that has ${reason.vendor}, or stop it`
      case "OtherTenant":
        return `process ${reason.owner.pid}, which fetches for ${reason.dataDir}, works for the tenant ${reason.owner.tenant ?? "default"} alone (Tapestry ${reason.owner.product}), and this command for ${reason.ours}; start it again with this release, which works for every tenant, or wait until it has ended`
      case "OtherStore": {
        const named = (store: string | null | undefined) => store ?? `${reason.dataDir}/market.sqlite`
        return `process ${reason.owner.pid}, which fetches for ${reason.dataDir}, keeps the rows in ${named(reason.owner.store)}, and this command would read ${named(reason.ours)}; give both the same --store (or DATABASE_URL; sqlite means the data directory), or stop it`
      }
    }
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
