/**
 * A command as the client of the owner of its data directory.
 *
 * Responsibilities: (1) asks the owner who it is, and runs the command only over one that speaks our protocol, for the command's tenant where
 * that is another than the owner's; (2) tells apart who
 * is to be asked again (`Nobody`: the owner is silent, has no room, goes down, or went away in the middle) and what no asking
 * helps against (another protocol, another configuration, the command's own errors).
 *
 * Queueing: none; one connection for one turn, closed with it. Whoever is told `Nobody` waits and asks again (throughOwner).
 *
 * Hard cases: an owner that was stopped takes connections and says nothing: the hello has a time limit, and what comes after is
 * watched by the client's pings. Calls that were cut off may have been done. Rows come from the store, so that an owner that goes
 * away after its answer does no harm.
 */
import { Cause, Effect, Exit, FileSystem, Layer, Path, Predicate, type Redacted, Result } from "effect"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import type { TapestryClient as Client } from "../../rpc/client/TapestryClient.ts"
import { ContractLookupsError } from "../../services/ContractLookups.ts"
import { JobQueueError } from "../../services/JobQueue.ts"
import { MaintenanceError } from "../../services/Maintenance.ts"
import {
  OtherProtocol,
  OtherStore,
  OtherTenant,
  OwnerBusy,
  type OwnerDetails,
  OwnerError,
  OwnerForbidden,
  OwnerSilent,
  UnknownToOwner
} from "../../services/Owner.ts"
import { RecorderError } from "../../services/Recorder.ts"
import { StitchingCacheError } from "../../services/StitchingCache.ts"
import { done, nobody } from "./Turn.ts"

export interface AsClientOptions {
  readonly dataDir: string
  /** The release of this command. */
  readonly product: string
  /** Vendors that this command's configuration has. */
  readonly vendors: ReadonlySet<string>
  readonly owner: OwnerDetails
  /** The PostgreSQL that has the rows, by this command's settings; null: market.sqlite in the directory. */
  readonly store: Redacted.Redacted | null
  /** The default tenant unless given. */
  readonly tenant?: TenantName
  /** The owner's. */
  readonly socket: string
}

/** How long an owner may take to say who it is; where nobody listens, the connection is refused at once. */
const helloPatience = "6 seconds"

/** What a client needs, and an owner does not: loaded when there is an owner. */
const loadClient = Effect.promise(() =>
  Promise.all([
    import("../../rpc/client/UnixClient.ts"),
    import("../../rpc/client/TapestryClient.ts"),
    import("../../rpc/client/RemoteStitchingCache.ts"),
    import("../../rpc/client/RemoteMaintenance.ts"),
    import("../../rpc/client/RemoteJobQueue.ts"),
    import("../../rpc/client/RemoteMarketStreams.ts"),
    import("../../rpc/client/RemoteContractLookups.ts"),
    import("../../rpc/client/RemoteRecorder.ts"),
    import("../../layers/market/ConfiguredStore.ts"),
    import("../../rpc/contract/SystemRpcs.ts")
  ])
)

const reasonsOf = (cause: Cause.Cause<unknown>) =>
  cause.reasons.flatMap((reason) =>
    Cause.isFailReason(reason) &&
    (reason.error instanceof StitchingCacheError ||
      reason.error instanceof MaintenanceError ||
      reason.error instanceof JobQueueError ||
      reason.error instanceof RecorderError ||
      reason.error instanceof ContractLookupsError)
      ? [reason.error.reason]
      : []
  )

/** How a call that the command made itself says the same. */
const isPassingCall = (error: unknown): boolean =>
  Predicate.isTagged(error, "ShuttingDown") ||
  Predicate.isTagged(error, "TooBusy") ||
  (Predicate.isTagged(error, "RpcClientError") &&
    !(Predicate.hasProperty(error, "reason") && Predicate.isTagged(error.reason, "RpcClientDefect")))

/** The owner went away in the middle, or refused for now. */
const isPassing = (cause: Cause.Cause<unknown>): boolean =>
  reasonsOf(cause).some(
    (reason) =>
      (reason._tag === "CacheUnavailable" ||
        reason._tag === "MaintenanceUnavailable" ||
        reason._tag === "JobsUnavailable" ||
        reason._tag === "RecorderUnavailable" ||
        reason._tag === "LookupsUnavailable") &&
      reason.again
  ) || cause.reasons.some((reason) => Cause.isFailReason(reason) && isPassingCall(reason.error))

/** The vendor that the owner does not know and this command does: the two run with different configurations. */
const unknownToOwner = ({ dataDir, owner, vendors }: AsClientOptions, cause: Cause.Cause<unknown>) => {
  for (const reason of reasonsOf(cause)) {
    if (reason._tag !== "AdapterRegistryError" || reason.reason._tag !== "UnknownVendor") continue
    const { known, vendor } = reason.reason
    if (vendors.has(vendor)) {
      return new OwnerError({ reason: new UnknownToOwner({ dataDir, owner, vendor, known }) })
    }
  }
  return null
}

/**
 * Asks the owner who it is, then runs what the command makes of a client of it, over its cache, with the rows read from the store.
 */
export const asClient = Effect.fnUntraced(function* <A, E, R>(
  options: AsClientOptions,
  ask: (client: Client["Service"]) => Effect.Effect<A, E, R>
) {
  const { dataDir, owner, product, socket, store, tenant = defaultTenant.name } = options
  const [
    UnixClient,
    { TapestryClient },
    RemoteStitchingCache,
    RemoteMaintenance,
    RemoteJobQueue,
    RemoteMarketStreams,
    RemoteContractLookups,
    RemoteRecorder,
    ConfiguredStore,
    { protocolVersion }
  ] = yield* loadClient
  const path = yield* Path.Path
  const fs = yield* FileSystem.FileSystem
  // Rows are read beside the owner: from another store they would be other rows.
  const ours = ConfiguredStore.storeName(store)
  if (ours !== owner.store) {
    return yield* new OwnerError({ reason: new OtherStore({ dataDir, owner, ours: ours ?? null }) })
  }
  const foreign = tenant !== (owner.tenant ?? defaultTenant.name)
  // The mode of the socket guards it; a connection would only fail, like one to an owner that has just gone.
  const access = yield* Effect.result(fs.access(socket, { readable: true, writable: true }))
  if (Result.isFailure(access) && access.failure.reason._tag === "PermissionDenied") {
    return yield* new OwnerError({ reason: new OwnerForbidden({ dataDir, owner, socket }) })
  }
  const silent = (waitedMillis: number) => new OwnerError({ reason: new OwnerSilent({ dataDir, owner, waitedMillis }) })
  const other = (protocol: number | null) =>
    new OwnerError({
      reason: new OtherProtocol({ dataDir, owner, protocol, ours: { product, protocol: protocolVersion } })
    })

  return yield* Effect.gen(function* () {
    const client = yield* TapestryClient
    const hello = yield* Effect.exit(Effect.timeout(client["System.hello"](), helloPatience))
    if (Exit.isFailure(hello)) {
      const failure = hello.cause.reasons.find(Cause.isFailReason)?.error
      if (failure === undefined) return yield* Effect.failCause(Cause.map(hello.cause, () => other(null)))
      if (failure._tag === "TenantError" && failure.reason._tag !== "TooManyTenants") return yield* failure
      const strange = failure._tag === "RpcClientError" && failure.reason._tag === "RpcClientDefect"
      if (strange || failure._tag === "ProtocolError") return yield* other(null)
      if (failure._tag === "TooBusy") {
        const { limit, max } = failure
        return nobody(
          (waitedMillis) => new OwnerError({ reason: new OwnerBusy({ dataDir, owner, limit, max, waitedMillis }) })
        )
      }
      return nobody(silent, { met: failure._tag === "ShuttingDown" })
    }
    if (hello.value.protocol !== protocolVersion) return yield* other(hello.value.protocol)
    // One of an older release would answer for its own tenant, whatever the header says.
    if (foreign && !hello.value.capabilities.includes("tenants")) {
      return yield* new OwnerError({ reason: new OtherTenant({ dataDir, owner, ours: tenant }) })
    }

    const cache = RemoteStitchingCache.layerBesideStore.pipe(
      Layer.provide(
        ConfiguredStore.layer({ store, filename: path.join(dataDir, "market.sqlite"), readonly: true, tenant })
      ),
      Layer.merge(
        Layer.mergeAll(
          RemoteMaintenance.layer,
          RemoteJobQueue.layer,
          RemoteMarketStreams.layer,
          RemoteContractLookups.layer,
          RemoteRecorder.layer
        )
      ),
      Layer.provide(Layer.succeed(TapestryClient, client))
    )
    const exit = yield* Effect.exit(Effect.provide(ask(client), cache))
    if (Exit.isSuccess(exit)) return done(exit.value)
    if (isPassing(exit.cause)) return nobody(silent, { met: true })
    const elsewhere = unknownToOwner(options, exit.cause)
    return yield* elsewhere === null ? Effect.failCause(exit.cause) : Effect.fail(elsewhere)
  }).pipe(Effect.provide(UnixClient.layer({ path: socket, ...(foreign ? { tenant } : {}) })))
})
