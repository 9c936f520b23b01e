/**
 * Jobs of every tenant, in the process that owns the data directory.
 *
 * Responsibilities: which tenants have jobs that are due or under way, and that those are open for as long as they have. What is begun next, over
 * the queues that are open, is the dispatcher's to say (../jobs/JobDispatcher.ts), which has this look before it chooses.
 *
 * Queueing: of the tenants with due jobs so many are kept open as jobs may run at once, by the job that each would begin first: the jobs that come
 * next, over all tenants, are among theirs. Hard cases: what a process that died had under way still says that it runs, so a tenant with such jobs
 * is opened, which puts them aside and begins them again. A job that waits for its instant keeps nobody open. One that is queued by a commit or by
 * another process is found within two seconds. A tenant that takes long to open, or cannot be opened, keeps no other from its work, and is tried again.
 */
import { Clock, Effect, FiberMap, Latch, Layer } from "effect"
import { TenantName } from "../../domain/Tenant.ts"
import { JobQueue } from "../../services/JobQueue.ts"
import { OpenTenants } from "../../services/OpenTenants.ts"
import { TenantJobs } from "../../services/TenantJobs.ts"
import { JobDispatcher } from "../jobs/JobDispatcher.ts"
import { MarketStores } from "../market/ConfiguredStore.ts"

/** How long the others wait for a tenant that is being opened. */
const patience = "1 second"

const make = Effect.gen(function* () {
  const stores = yield* MarketStores
  const tenants = yield* OpenTenants
  const queue = yield* JobQueue
  const dispatcher = yield* JobDispatcher

  /** Open until it is interrupted. */
  const keep = (tenant: TenantName, opened: Latch.Latch) =>
    tenants.services(tenant).pipe(
      Effect.andThen(opened.open),
      Effect.andThen(Effect.never),
      Effect.scoped,
      Effect.catch((error) => Effect.logWarning(`the jobs of ${tenant} are not run: ${error.message}`)),
      Effect.ensuring(opened.open)
    )

  /** Opens those that have work, and lets go of those that have none any more. */
  const gathering = Effect.fnUntraced(function* (kept: FiberMap.FiberMap<TenantName>, concurrency: number) {
    const names = yield* stores.atWork(yield* Clock.currentTimeMillis, concurrency)
    const wanted = new Set(names.map((name) => TenantName.make(name)).filter((name) => name !== tenants.own))
    for (const [tenant] of [...kept]) if (!wanted.has(tenant)) yield* FiberMap.remove(kept, tenant)
    const opening: Array<Latch.Latch> = []
    for (const tenant of wanted) {
      if (yield* FiberMap.has(kept, tenant)) continue
      const opened = Latch.makeUnsafe(false)
      opening.push(opened)
      yield* FiberMap.run(kept, tenant, keep(tenant, opened))
    }
    const all = Effect.forEach(opening, (latch) => latch.await, { discard: true, concurrency: "unbounded" })
    yield* Effect.timeoutOption(all, patience)
  })

  return TenantJobs.of({
    work: Effect.fn("TenantJobs.work")(({ concurrency }) =>
      Effect.scoped(
        Effect.gen(function* () {
          const kept = yield* FiberMap.make<TenantName>()
          // It is tried again and again, and said once.
          let said = ""
          const gather = gathering(kept, concurrency).pipe(
            Effect.tap(() => Effect.sync(() => (said = ""))),
            Effect.catch(({ message }) => {
              if (message === said) return Effect.void
              said = message
              return Effect.logWarning(`other tenants' jobs are not looked for: ${message}`)
            })
          )
          // Of the process's own first: what cannot be opened is said to whoever wants it.
          const own = queue.work({ concurrency, only: [] })
          const others = dispatcher.hold({ queue: null, only: null, concurrency, gather })
          return yield* Effect.raceFirst(own, others)
        })
      )
    )
  })
})

export const layer: Layer.Layer<TenantJobs, never, MarketStores | OpenTenants | JobQueue | JobDispatcher> =
  Layer.effect(TenantJobs, make)
