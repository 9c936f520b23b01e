/** What the tests of TimescaleDB are written with. */
import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { defaultTenant } from "../../../../src/domain/Tenant.ts"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { postgresUpkeep } from "../../../../src/layers/market/upkeep/postgresUpkeep.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { RecordStore } from "../../../../src/services/RecordStore.ts"
import { bar, covered } from "../../../services/market/commits.ts"
import { sql } from "../../../support/postgres.ts"

export const hour = 3_600_000
export const day = 24 * hour

/** A store with connections of its own, as another process would have it. */
export const opened = (url: string, tenant = defaultTenant.name) =>
  Effect.map(Layer.build(Layer.fresh(MarketStorePostgres.layer({ url: Redacted.make(url), tenant }))), (context) => ({
    market: Context.get(context, MarketStore),
    records: Context.get(context, RecordStore)
  }))

export const embedded = Effect.map(
  Layer.build(Layer.fresh(MarketStoreSqlite.layer({ filename: ":memory:" }))),
  (context) => Context.get(context, MarketStore)
)

export const upkeepOf = (url: string) => postgresUpkeep(Redacted.make(url), false)

export const policiesOf = Effect.fnUntraced(function* (url: string) {
  const policies = yield* (yield* upkeepOf(url)).policies
  if (typeof policies === "string") return assert.fail(policies)
  return policies
})

/** Hourly bars of so many days from an instant on, each with a value of its own. */
export const hourly = (from: number, days: number, close = (index: number) => 1 + (index % 17)) =>
  Array.from({ length: days * 24 }, (_, index) => bar(from + index * hour, close(index)))

export const whole = (id: number, from: number, days: number) => ({
  coverage: [[from, from + days * day, covered(id)] as const]
})

export const one = (url: string, text: string) => Effect.map(sql(url, text), (rows) => Number(rows[0]?.[0]))
