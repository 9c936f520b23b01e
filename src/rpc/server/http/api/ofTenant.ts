import { Context, Effect } from "effect"
import { type ApiServices, ControlTenant } from "../ControlTenant.ts"

/** Gives what works for the tenant that a request names, or for that of the server. */
export const ofTenant = Effect.map(
  Effect.context<ApiServices>(),
  (own) =>
    <Id extends ApiServices, Shape>(service: Context.Key<Id, Shape>): Effect.Effect<Shape> =>
      Effect.map(ControlTenant, (named) => Context.get(named?.services ?? own, service))
)
