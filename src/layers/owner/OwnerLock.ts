/**
 * One owner per data directory.
 *
 * Responsibilities: the lock `<data-dir>/owner`, which alone decides, and `<data-dir>/owner.json`, which says who has it and at
 * which socket it can be asked. Queueing: none; whoever finds the lock taken is told at once, or asks again in short steps for
 * as long as it has patience, and the first to find the lock free has it.
 *
 * Hard cases: a killed owner leaves owner.json behind, and its lock free: the next owner overwrites it, and removes the
 * directory that its socket had for itself. Between taking the lock
 * and the record there is an instant in which the record is missing or its predecessor's: such details are of a process that is
 * gone, so whoever connects to their socket is refused and tries the lock again. Process ids that are used again do not matter,
 * since nobody is judged by them.
 */
import { Clock, Duration, Effect, Exit, FileSystem, Layer, Path, Schedule, Scope } from "effect"
import { OwnedElsewhere, Owner, type OwnerDetails, OwnerError } from "../../services/Owner.ts"
import { monotonicMillis } from "../monotonicMillis.ts"
import * as ExclusiveFile from "./ExclusiveFile.ts"
import * as OwnerRecord from "./OwnerRecord.ts"
import { removeLeft } from "./ownerSocket.ts"

export interface OwnerLockOptions {
  /** Must exist. */
  readonly dataDir: string
  /** The release that owns it, as others are told. */
  readonly product: string
  /** The database that has its rows, as others are told; none: market.sqlite in the directory. */
  readonly store?: string
  /** The tenant that this process works for, unless it is the default one. */
  readonly tenant?: string
  /** How long to wait for another owner to end; not at all unless given. */
  readonly patience?: Duration.Input
}

const lockOf = (dataDir: string) => Effect.map(Path.Path, (path) => path.join(dataDir, "owner"))

const asOwnerError = (reason: OwnerError["reason"]) => new OwnerError({ reason })

const acquire = Effect.fnUntraced(function* ({ dataDir, product, store, tenant }: OwnerLockOptions) {
  const lock = yield* lockOf(dataDir)
  const held = yield* Effect.mapError(ExclusiveFile.hold(lock), asOwnerError)
  if (!held) {
    const owner = yield* OwnerRecord.read(dataDir)
    return yield* asOwnerError(new OwnedElsewhere({ dataDir, owner }))
  }
  const files = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const before = yield* OwnerRecord.read(dataDir)
  if (before !== null && before.socket !== null) yield* removeLeft(before.socket)
  const startedAt = yield* Clock.currentTimeMillis
  const announce = (socket: string | null) => {
    const details: OwnerDetails = {
      pid: process.pid,
      startedAt,
      product,
      socket,
      ...(store === undefined ? {} : { store }),
      ...(tenant === undefined ? {} : { tenant })
    }
    return OwnerRecord.write(dataDir, details).pipe(Effect.mapError(asOwnerError), Effect.provideContext(files))
  }
  // Removed while the lock is still held: it is released after this.
  yield* Effect.acquireRelease(announce(null), () => Effect.provideContext(OwnerRecord.remove(dataDir), files))
  return Owner.of({ dataDir, startedAt, announce })
})

/** Not all at once: those who wait for the same owner would meet at every step. */
const step = Schedule.jittered(Schedule.spaced("25 millis"))

/** Patience is measured by the monotonic clock: schedules go by the one on the wall, which may be set meanwhile. */
const acquireWithin = Effect.fnUntraced(function* ({ patience = 0, ...options }: OwnerLockOptions) {
  const until = (yield* monotonicMillis) + Duration.toMillis(Duration.fromInputUnsafe(patience))
  return yield* Effect.retry(acquire(options), {
    schedule: step,
    while: ({ reason }) =>
      reason._tag === "OwnedElsewhere" ? Effect.map(monotonicMillis, (now) => now < until) : Effect.succeed(false)
  })
})

/**
 * Owns the data directory until the scope closes. Fails with OwnedElsewhere when it has an owner (in this process or another),
 * and with LockUnavailable when the lock cannot be made.
 */
export const layer = (options: OwnerLockOptions): Layer.Layer<Owner, OwnerError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(Owner, acquireWithin(options))

/**
 * Who owns a data directory; null: nobody. An owner that has not said yet who it is has `details` null. Asking takes the lock
 * for an instant when it is free.
 */
export const find = Effect.fn("OwnerLock.find")(function* (
  dataDir: string
): Effect.fn.Return<{ readonly details: OwnerDetails | null } | null, OwnerError, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const lock = yield* lockOf(dataDir)
  // Asking makes no file.
  if (!(yield* Effect.orElseSucceed(fs.exists(lock), () => false))) return null
  const scope = yield* Scope.make()
  const free = yield* ExclusiveFile.hold(lock).pipe(
    Scope.provide(scope),
    Effect.mapError(asOwnerError),
    Effect.ensuring(Scope.close(scope, Exit.void))
  )
  return free ? null : { details: yield* OwnerRecord.read(dataDir) }
})
