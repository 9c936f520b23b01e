import { type Effect, Schema } from "effect"
import { Tenant, type TenantName } from "../domain/Tenant.ts"
import { EpochMillis } from "../domain/TimeRange.ts"
import type { MarketStoreError } from "./MarketStore.ts"

export class TenantUnknown extends Schema.TaggedError<TenantUnknown>()("TenantUnknown", { message: Schema.String }) {}
export class TenantExists extends Schema.TaggedError<TenantExists>()("TenantExists", { message: Schema.String }) {}
/** It has series or jobs, or is the default one: only what is empty is removed. */
export class TenantInUse extends Schema.TaggedError<TenantInUse>()("TenantInUse", { message: Schema.String }) {}

export class TenantsError extends Schema.TaggedError<TenantsError>()("TenantsError", {
  reason: Schema.Union([TenantUnknown, TenantExists, TenantInUse])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/** `rows`: those that readers see. The default tenant was made at 0. */
export const TenantSummary = Schema.Struct({
  ...Tenant.fields,
  createdAt: EpochMillis,
  series: Schema.Int,
  rows: Schema.Int
})
export interface TenantSummary extends Schema.Schema.Type<typeof TenantSummary> {}

/**
 * The tenants of a market store. Whoever lists them needs the rights of who looks after the store, not of who works in it, for whom that is
 * StoreTenantDenied; `find` shows him a tenant that he could work for.
 */
export interface Tenants {
  /** Ascending by name. */
  readonly list: Effect.Effect<ReadonlyArray<TenantSummary>, MarketStoreError>
  readonly find: (name: TenantName) => Effect.Effect<TenantSummary, TenantsError | MarketStoreError>
  readonly add: (name: TenantName) => Effect.Effect<TenantSummary, TenantsError | MarketStoreError>
  /** Of one that has nothing any more but values of its own, which go with it. What the archive has of it stays. */
  readonly remove: (name: TenantName) => Effect.Effect<void, TenantsError | MarketStoreError>
}
