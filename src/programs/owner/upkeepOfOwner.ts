/**
 * The upkeep of a market.sqlite that another process owns: what only looks is done beside it, and what changes the store is done by that
 * process, asked over its socket.
 *
 * Queueing: that of the owner. Hard case: an owner that has no socket, does not answer, or is of a release that does not know these calls, is
 * nobody to ask; the lock then says who it is.
 */
import { Clock, Effect, type FileSystem, Layer, Option, Path, type Scope, Stream } from "effect"
import { isTerminal } from "../../domain/Job.ts"
import * as Timeframe from "../../domain/Timeframe.ts"
import type { StoreUpkeep } from "../../layers/market/upkeep/StoreUpkeep.ts"
import * as OwnerLock from "../../layers/owner/OwnerLock.ts"
import { MarketStoreError, StoreUnavailable } from "../../services/MarketStore.ts"
import type { OwnerError } from "../../services/Owner.ts"
import type { Retention } from "../../services/StorePolicies.ts"

const helloPatience = "6 seconds"
const needed = ["Admin.migrate", "Admin.stamp", "Admin.start", "Jobs.watch", "Jobs.work"]

const loadClient = Effect.promise(() =>
  Promise.all([
    import("../../rpc/client/UnixClient.ts"),
    import("../../rpc/client/TapestryClient.ts"),
    import("../../layers/market/upkeep/sqliteUpkeep.ts")
  ])
)

/** Null: nobody can be asked. */
export const upkeepOfOwner = Effect.fnUntraced(function* (
  dataDir: string
): Effect.fn.Return<
  StoreUpkeep | null,
  MarketStoreError | OwnerError,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> {
  const details = (yield* OwnerLock.find(dataDir))?.details
  if (details === undefined || details === null || details.socket === null) return null
  const { pid, socket, store } = details
  // Its rows are elsewhere, and this file is nobody's.
  if (store !== undefined) return null
  const path = yield* Path.Path
  const [UnixClient, { TapestryClient }, { sqliteUpkeep }] = yield* loadClient
  const context = yield* Layer.build(UnixClient.layer({ path: socket }))
  const client = yield* Effect.provideContext(TapestryClient, context)
  const hello = yield* Effect.option(Effect.timeout(client["System.hello"](), helloPatience))
  if (Option.isNone(hello) || needed.some((procedure) => !hello.value.procedures.includes(procedure))) return null

  const asked = <A, E extends { readonly message: string }>(call: Effect.Effect<A, E>) =>
    Effect.mapError(call, (error) =>
      error instanceof MarketStoreError
        ? error
        : new MarketStoreError({
            reason: new StoreUnavailable({ message: `process ${pid}, which has ${dataDir}: ${error.message}` })
          })
    )

  const retained = Effect.fnUntraced(function* (of: Retention, before: number) {
    const timeframe = Timeframe.all.find((known) => known === of.timeframe)
    const olderThanMillis = Math.max(1, (yield* Clock.currentTimeMillis) - before)
    const payload = { kind: of.kind, olderThanMillis, ...(timeframe === undefined ? {} : { timeframe }) }
    const { job } = yield* asked(client["Admin.start"]({ task: { type: "retention", payload } }))
    // Not every owner runs jobs of itself.
    const running = Stream.runDrain(client["Jobs.work"]({ jobs: [job.id] }))
    const ended = Stream.runLast(
      Stream.filter(client["Jobs.watch"]({ job: job.id }), (view) => isTerminal(view.job.state))
    )
    const last = yield* asked(Effect.raceFirst(ended, Effect.andThen(running, Effect.never)))
    const view = Option.getOrUndefined(last)
    if (view?.job.state === "completed") return { rows: view.run?.outcome?.rows ?? 0, chunks: 0, before }
    const message = `process ${pid}, which has ${dataDir}, has not done it: ${view?.job.error ?? `its job ${job.id} ended`}`
    return yield* new MarketStoreError({ reason: new StoreUnavailable({ message }) })
  })

  const beside = yield* sqliteUpkeep(path.join(dataDir, "market.sqlite"), true)
  return {
    ...beside,
    migrate: Effect.map(asked(client["Admin.migrate"]()), ({ applied }) => applied),
    stamp: (version, { confirm }) => asked(client["Admin.stamp"]({ version, confirm })),
    retain: (of, before, { apply }) => (apply ? retained(of, before) : beside.retain(of, before, { apply }))
  }
})
