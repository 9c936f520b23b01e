/** What tests of Quota share. */
import { Cause, Context, Effect, Exit, Layer, Option, type Scope } from "effect"
import { TestClock } from "effect/testing"
import type { QuotaWindow } from "../../src/domain/VendorLimits.ts"
import { Quota, type QuotaError, type QuotaPolicy, type QuotaRequest } from "../../src/services/Quota.ts"

/** A layer over an empty log; built twice, it is a restart or another process. */
export type QuotaStore = Effect.Effect<Layer.Layer<Quota, QuotaError>, never, Scope.Scope>
export type QuotaService = Context.Service.Shape<typeof Quota>

export const account = "acme"

export const window = (
  limit: number,
  span: number,
  key: string | null = null,
  name = `${limit}/${span}`
): QuotaWindow => ({
  name,
  limit,
  span,
  key
})
export const policy = (windows: ReadonlyArray<QuotaWindow>, maxInFlight: number | null = null): QuotaPolicy => ({
  windows,
  maxInFlight
})
export const request = (options: Partial<QuotaRequest> = {}): QuotaRequest => ({
  weight: 1,
  keys: {},
  priority: 0,
  ...options
})

/** A new instance over the layer's store, for as long as the scope lives. */
export const openQuota = (
  layer: Layer.Layer<Quota, QuotaError>
): Effect.Effect<QuotaService, QuotaError, Scope.Scope> =>
  Effect.map(Layer.build(Layer.fresh(layer)), (context) => Context.get(context, Quota))

const now = TestClock.testClockWith((clock) => Effect.sync(() => clock.currentTimeMillisUnsafe()))

/** Reserves in a child, gives the place in flight back at once, and yields the instant at which the request started. */
export const startOf = (quota: QuotaService, options?: Partial<QuotaRequest>, name = account) =>
  Effect.scoped(Effect.andThen(quota.reserve(name, request(options)), now)).pipe(
    Effect.forkChild({ startImmediately: true })
  )

/** The reason of a QuotaError that an effect must fail with. */
export const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) => {
    const error = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined
    return typeof error === "object" && error !== null && "reason" in error ? error.reason : exit
  })
