/**
 * The handlers of the tenants that calls name, over the services of each.
 *
 * Responsibilities: made once for the services of an open tenant, and gone with them. Queueing: none. Hard case: a server over services that
 * somebody else has put together may have no others than its own.
 */
import { Context, Effect, Layer, Option, type Scope } from "effect"
import { defaultTenant, type TenantName } from "../../domain/Tenant.ts"
import { OpenTenants, type TenantServices } from "../../services/OpenTenants.ts"
import { NoSuchTenant, TenantError } from "../../services/TenantError.ts"
import * as Handlers from "../handlers/Handlers.ts"
import type { ServerInfo } from "../handlers/ServerInfo.ts"

export interface HandlersOfTenant {
  /** By the keys of the procedures. */
  readonly handlers: Context.Context<never>
  readonly services: Context.Context<TenantServices>
}

export interface TenantHandlers {
  /** The tenant that the server was started for, whose handlers are none of these. */
  readonly own: TenantName
  /** Those of another one, until the scope closes. */
  readonly of: (tenant: TenantName) => Effect.Effect<HandlersOfTenant, TenantError, Scope.Scope>
}

/** For a server that has no tenant but its own. */
export const none: TenantHandlers = {
  own: defaultTenant.name,
  of: (tenant) =>
    Effect.fail(
      new TenantError({
        reason: new NoSuchTenant({
          tenant,
          message: `this server works for one tenant alone, and that is not ${tenant}`
        })
      })
    )
}

export const make: Effect.Effect<TenantHandlers, never, ServerInfo | Scope.Scope> = Effect.gen(function* () {
  const tenants = yield* Effect.serviceOption(OpenTenants)
  if (Option.isNone(tenants)) return none
  const around = yield* Effect.context<ServerInfo | Scope.Scope>()
  const made = new WeakMap<Context.Context<TenantServices>, HandlersOfTenant>()
  const { own, services } = tenants.value
  return {
    own,
    of: Effect.fnUntraced(function* (tenant: TenantName) {
      const opened = yield* services(tenant)
      const known = made.get(opened)
      if (known !== undefined) return known
      const handlers = yield* Layer.build(Layer.fresh(Handlers.layer)).pipe(
        // And nothing of the call that asked first: they are for those that come after it, too.
        Effect.updateContext((_: Context.Context<never>) => Context.merge(around, opened))
      )
      const of: HandlersOfTenant = { handlers, services: opened }
      made.set(opened, of)
      return of
    })
  }
})
