/**
 * The services of the tenants of one process, each opened when somebody first asks for it.
 *
 * Responsibilities: (1) one set of services a tenant, however many ask at once; (2) how many are open at a time; (3) that they are closed
 * in order (batches drained, jobs put aside, sessions ended) when nobody has had them for a while, and with the process.
 *
 * Queueing: none; who asks for a tenant that is being opened waits for the same opening. One that would be too many is refused, unless
 * another is open that nobody has: then the one that was left longest ago is closed.
 *
 * Hard cases: who asks for a tenant that is just being closed must neither find it half closed nor begin beside it: two runners of one
 * tenant would put aside each other's jobs. So whoever opens a tenant first takes its turn, and gives it back when all else is closed. What
 * could not be opened is not kept: the next one to ask tries again, and a tenant may have been added by then. What is opened lives longer
 * than the call that asked for it, and knows nothing of that. Layers are constants of their modules, and a memo map knows them by
 * that: each tenant's are built afresh, or a second tenant would be given the services of the first.
 */
import { Context, Effect, Exit, Layer, LayerMap, Scope, Semaphore } from "effect"
import type { TenantName } from "../../domain/Tenant.ts"
import type { MarketStoreError } from "../../services/MarketStore.ts"
import { OpenTenants, type TenantServices } from "../../services/OpenTenants.ts"
import { NoSuchTenant, TenantError, TenantUnavailable, TooManyTenants } from "../../services/TenantError.ts"
import { MarketStores } from "../market/ConfiguredStore.ts"

export interface OpenTenantsOptions<E extends { readonly message: string }, R> {
  /** Whose services are opened by somebody else. */
  readonly own: TenantName
  /** All that works for a tenant, over what all of them share. */
  readonly servicesOf: (tenant: TenantName) => Layer.Layer<TenantServices, E, R>
}

/** Each has connections to the archive, buffers of rows, and what is in flight. */
export const maxOpenTenants = 64
const idle = "5 minutes"

const notThere =
  (tenant: TenantName) =>
  ({ message, reason }: MarketStoreError): TenantError =>
    new TenantError({
      reason:
        reason._tag === "StoreTenantDenied"
          ? new NoSuchTenant({ tenant, message })
          : new TenantUnavailable({ tenant, message })
    })

export const layer = <E extends { readonly message: string }, R>({
  own,
  servicesOf
}: OpenTenantsOptions<E, R>): Layer.Layer<OpenTenants, never, R | MarketStores> =>
  Layer.effect(
    OpenTenants,
    Effect.gen(function* () {
      const stores = yield* MarketStores
      const context = yield* Effect.context<R | MarketStores | Scope.Scope>()
      const scope = yield* Effect.scope
      const turns = new Map<TenantName, Semaphore.Semaphore>()
      /** Those that are open, by when they were last given back. */
      const open = new Set<TenantName>()
      /** How many have a tenant, or wait for it; those that nobody has are not in it. */
      const users = new Map<TenantName, number>()

      const turnOf = (tenant: TenantName) => {
        const turn = turns.get(tenant) ?? Semaphore.makeUnsafe(1)
        turns.set(tenant, turn)
        return Effect.acquireRelease(turn.take(1), () => turn.release(1), { interruptible: true })
      }
      const told = (what: string, tenant: TenantName) =>
        Effect.annotateLogs(Effect.logInfo(`tapestry.tenant ${what}`), { tenant })

      const opening = Effect.fnUntraced(function* (tenant: TenantName) {
        yield* Effect.mapError(stores.of(tenant), notThere(tenant))
        // Before all else, so that it is given back behind all else.
        yield* turnOf(tenant)
        yield* Effect.addFinalizer(() => told("closed", tenant))
        const services = yield* Effect.mapError(
          Layer.build(Layer.fresh(servicesOf(tenant))),
          ({ message }) => new TenantError({ reason: new TenantUnavailable({ tenant, message }) })
        )
        yield* Effect.acquireRelease(
          Effect.sync(() => open.add(tenant)),
          () => Effect.sync(() => open.delete(tenant))
        )
        yield* told("opened", tenant)
        return services
      })

      /** In a scope of its own, so that what could not be opened holds nothing; and in our context, not in that of a call. */
      const openedWhole = (
        tenant: TenantName
      ): Effect.Effect<Context.Context<TenantServices>, TenantError, Scope.Scope> =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const own = yield* Scope.fork(yield* Effect.scope)
            return yield* restore(Scope.provide(opening(tenant), own)).pipe(
              Effect.onError((cause) =>
                Effect.andThen(
                  Scope.close(own, Exit.failCause(cause)),
                  Effect.forkIn(
                    Effect.suspend(() => tenants.invalidate(tenant)),
                    scope
                  )
                )
              )
            )
          })
        ).pipe(
          Effect.updateContext((of: Context.Context<Scope.Scope>) =>
            Context.add(context, Scope.Scope, Context.get(of, Scope.Scope))
          )
        )

      const tenants: LayerMap.LayerMap<TenantName, TenantServices, TenantError> = yield* LayerMap.make(
        (tenant: TenantName) => Layer.fresh(Layer.effectContext(openedWhole(tenant))),
        { idleTimeToLive: idle }
      )

      const makeRoom = (tenant: TenantName): Effect.Effect<void, TenantError> =>
        Effect.suspend(() => {
          if (open.has(tenant) || users.has(tenant)) return Effect.void
          const waiting = [...users.keys()].filter((other) => !open.has(other)).length
          if (open.size + waiting < maxOpenTenants) return Effect.void
          for (const other of open) if (!users.has(other)) return tenants.invalidate(other)
          return Effect.fail(new TenantError({ reason: new TooManyTenants({ tenant, max: maxOpenTenants }) }))
        })

      const used = (tenant: TenantName) =>
        Effect.acquireRelease(
          Effect.sync(() => users.set(tenant, (users.get(tenant) ?? 0) + 1)),
          () =>
            Effect.sync(() => {
              const left = (users.get(tenant) ?? 1) - 1
              if (left > 0) return users.set(tenant, left)
              if (open.delete(tenant)) open.add(tenant)
              return users.delete(tenant)
            })
        )

      return OpenTenants.of({
        own,
        services: (tenant) =>
          makeRoom(tenant).pipe(Effect.andThen(used(tenant)), Effect.andThen(tenants.contextEffect(tenant)))
      })
    })
  )
