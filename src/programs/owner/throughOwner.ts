/**
 * Runs a command that needs a vendor, the quota or writes: as the owner of the data directory, or as a client of its owner.
 *
 * Responsibilities: (1) no owner: the command becomes it until it ends, and serves others meanwhile; (2) an owner: the command asks
 * it; (3) an owner that goes away in the middle: the command begins again, by when it or another of those who wait is the owner.
 * What was archived by then is not fetched again.
 *
 * Queueing: those who find the lock taken and nobody to ask try again every 10 to 50 ms, until nobody has answered for 12 seconds:
 * an owner may be starting, or draining (10 s) what others asked it for. Whoever is first has the lock.
 *
 * Hard cases: a command that begins again must not have printed anything. That holds because commands print when their calls to
 * the StitchingCache are done, and the rows that they print come from the store. An owner that is stopped (SIGSTOP) keeps its lock
 * and its socket, which takes connections: it is asked until patience is over. Patience is measured by the monotonic clock: the
 * one on the wall may be set meanwhile.
 */
import { Effect, Random, type Redacted } from "effect"
import type { TenantName } from "../../domain/Tenant.ts"
import { monotonicMillis } from "../../layers/monotonicMillis.ts"
import * as OwnerLock from "../../layers/owner/OwnerLock.ts"
import type { TapestryClient } from "../../rpc/client/TapestryClient.ts"
import { OwnedElsewhere, type OwnerDetails, OwnerError } from "../../services/Owner.ts"
import { Output } from "../terminal/Output.ts"
import { asClient } from "./asClient.ts"
import { asOwner, type OwnerServices } from "./asOwner.ts"
import { nobody } from "./Turn.ts"

export interface ThroughOwnerOptions<E, R> {
  readonly dataDir: string
  /** The release that runs, as others are told. */
  readonly product: string
  /** Vendors that this command's configuration has. */
  readonly vendors: ReadonlySet<string>
  /** The PostgreSQL that has the rows; null: market.sqlite in the directory. */
  readonly store: Redacted.Redacted | null
  /** The default tenant unless given. */
  readonly tenant?: TenantName
  /** All services over the data directory, as its owner; asked for when there is none. */
  readonly services: Effect.Effect<OwnerServices<E, R>>
  /**
   * For how many milliseconds, once the owner has gone away in the middle, the place is left to another; at once unless given. A server that is
   * started anew finds it taken else, for as long as a command runs that has no end.
   */
  readonly leavesPlace?: number
}

const patienceMillis = 12_000
/** From when on a wait is spoken of. */
const noticedMillis = 1_000

/** Long enough to cost nothing, short enough that a killed owner is followed at once; not the same for all who wait. */
const pause = Effect.flatMap(Random.nextIntBetween(10, 50), (millis) => Effect.sleep(millis))

const waitingFor = ({ reason }: OwnerError): string =>
  "owner" in reason && reason.owner !== null ? `process ${reason.owner.pid}` : "another process"

/** `own` is what the command does as the owner, with all services; `ask` the same by a client of the owner that there is. */
export const throughOwner = Effect.fnUntraced(function* <A, E, R, E2, R2, E3, R3>(
  options: ThroughOwnerOptions<E2, R2>,
  own: Effect.Effect<A, E, R>,
  ask: (client: TapestryClient["Service"]) => Effect.Effect<A, E3, R3>
) {
  const { dataDir, leavesPlace = 0 } = options
  const { errorTerminal, note } = yield* Output
  const elsewhere = (owner: OwnerDetails | null) =>
    nobody(() => new OwnerError({ reason: new OwnedElsewhere({ dataDir, owner }) }))

  let leftUntil = Number.NEGATIVE_INFINITY
  const turn = Effect.gen(function* () {
    const owner = yield* OwnerLock.find(dataDir)
    if (owner === null) {
      return (yield* monotonicMillis) < leftUntil ? elsewhere(null) : yield* asOwner(options, own)
    }
    const { details } = owner
    if (details !== null && details.socket !== null) {
      return yield* asClient({ ...options, owner: details, socket: details.socket }, ask)
    }
    return elsewhere(details)
  })

  let since = yield* monotonicMillis
  let noted = false
  while (true) {
    const outcome = yield* turn
    if (outcome._tag === "Done") return outcome.value
    const now = yield* monotonicMillis
    if (outcome.met) {
      since = now
      leftUntil = now + leavesPlace
    }
    const why = outcome.why(now - since)
    yield* Effect.logDebug(`nobody to ask yet: ${why.message}`)
    if (now - since >= patienceMillis) return yield* why
    if (!noted && errorTerminal.isTerminal && now - since >= noticedMillis) {
      noted = true
      yield* note(`waiting for ${waitingFor(why)}, which has ${dataDir}`)
    }
    yield* pause
  }
})
