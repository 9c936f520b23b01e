/** Jobs of several tenants, run by the process that owns their data directory, over both stores. */
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, References, type Scope, Stream } from "effect"
import type { JobPriority } from "../../../src/domain/Job.ts"
import type { TenantName } from "../../../src/domain/Tenant.ts"
import * as TapestryConfig from "../../../src/layers/config/TapestryConfig.ts"
import { sqliteUpkeep } from "../../../src/layers/market/upkeep/sqliteUpkeep.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import type { ModelVendor } from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { OpenTenants } from "../../../src/services/OpenTenants.ts"
import { TenantJobs } from "../../../src/services/TenantJobs.ts"
import { freshDatabase } from "../../support/postgres.ts"
import { acme, bolt, withTenants, workerIn } from "../../support/tenants.ts"
import { backfill, specOf, temporary, vendorOf } from "./support.ts"

type Config = Partial<TapestryConfig.TapestryConfig>

const stores: ReadonlyArray<readonly [string, Effect.Effect<Config, never, Scope.Scope>]> = [
  ["SQLite", Effect.succeed({})],
  [
    "PostgreSQL",
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* withTenants(url)
      return { store: Redacted.make(yield* workerIn(url)) }
    })
  ]
]

/** All services, as the owner of the directory. */
const over = (dataDir: string, vendor: ModelVendor, config: Config) =>
  Layer.effectDiscard(
    Effect.flatMap(AdapterRegistry, (registry) => registry.register(Effect.succeed(vendor.adapter)))
  ).pipe(
    Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...TapestryConfig.defaults, ...config, dataDir } })),
    Layer.provide(NodeServices.layer),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )

const addTenants = (dataDir: string, config: Config) =>
  config.store === undefined
    ? Effect.scoped(
        Effect.gen(function* () {
          const { tenants } = yield* sqliteUpkeep(join(dataDir, "market.sqlite"), false)
          yield* tenants.add(acme.name)
          yield* tenants.add(bolt.name)
        })
      )
    : Effect.void

const servicesOf = (tenant: TenantName) => Effect.flatMap(OpenTenants, (tenants) => tenants.services(tenant))
const queueOf = (tenant: TenantName) => Effect.map(servicesOf(tenant), Context.get(JobQueue))

const job = (symbol: string, priority: typeof JobPriority.Type, pieces = 1) =>
  specOf(symbol, backfill([symbol], pieces), { priority })

const ended = Effect.fnUntraced(function* (queue: JobQueue["Service"], key: string) {
  const [found] = yield* queue.list({ key })
  if (found === undefined) return null
  const last = yield* Stream.runLast(queue.watch(found.job.id))
  return last._tag === "Some" ? last.value.job.state : null
})

for (const [name, configured] of stores) {
  describe(`jobs of several tenants (${name})`, () => {
    it.live("those with the highest priority come first, whosever they are, so many at a time over all", () =>
      Effect.gen(function* () {
        const config = yield* configured
        const dataDir = yield* temporary
        const vendor = vendorOf({ symbols: ["LOW", "HIGH", "URGENT", "MEDIUM"], latency: [5, 10] })
        yield* Effect.gen(function* () {
          yield* addTenants(dataDir, config)
          const own = yield* JobQueue
          const [a, b] = [yield* queueOf(acme.name), yield* queueOf(bolt.name)]
          yield* own.enqueue(job("LOW", "low", 2))
          yield* a.enqueue(job("MEDIUM", "medium", 2))
          yield* b.enqueue(job("URGENT", "urgent", 2))
          yield* a.enqueue(job("HIGH", "high", 2))
          const all = Effect.all([ended(own, "LOW"), ended(a, "HIGH"), ended(a, "MEDIUM"), ended(b, "URGENT")], {
            concurrency: "unbounded"
          })
          const states = yield* Effect.raceFirst(
            all,
            TenantJobs.use((jobs) => jobs.work({ concurrency: 1 }))
          )
          assert.deepStrictEqual(states, ["completed", "completed", "completed", "completed"])
          const asked = yield* vendor.log
          assert.deepStrictEqual(
            asked.map(({ symbol }) => symbol),
            ["URGENT", "URGENT", "HIGH", "HIGH", "MEDIUM", "MEDIUM", "LOW", "LOW"]
          )
          assert.deepStrictEqual(Math.max(...asked.map(({ inFlight }) => inFlight)), 1)
          // Each has done its own, and keeps what is under way in a file of its own.
          assert.deepStrictEqual(
            [(yield* own.list()).length, (yield* a.list()).length, (yield* b.list()).length],
            [1, 2, 1]
          )
          for (const file of ["workflows.sqlite", "workflows.acme.sqlite", "workflows.bolt.sqlite"]) {
            assert.isTrue(existsSync(join(dataDir, file)), file)
          }
        }).pipe(Effect.scoped, Effect.provide(over(dataDir, vendor, config)))
      })
    )

    it.live(
      "a tenant that nobody has open is opened for its jobs, also for those that a dead process had under way",
      () =>
        Effect.gen(function* () {
          const config = yield* configured
          const dataDir = yield* temporary
          const vendor = vendorOf({ symbols: ["LEFT", "WAITING"] })
          yield* Effect.gen(function* () {
            yield* addTenants(dataDir, config)
            const ledger = yield* Effect.map(servicesOf(acme.name), Context.get(JobLedger))
            const queue = yield* queueOf(bolt.name)
            yield* queue.enqueue(job("WAITING", "low"))
            // A runner that is gone: in a database shared by several, only one that has the same file of workflows may go on with it.
            const { job: left } = yield* ledger.enqueue(job("LEFT", "high"))
            if (ledger.exclusive) {
              const read = () =>
                Effect.succeed({ provider: "model", mode: "backfill" as const, symbols: ["LEFT"], range: null })
              yield* ledger.claim({ runner: "gone", only: [left.id], types: ["backfill"] }, read)
            }
          }).pipe(Effect.scoped, Effect.provide(over(dataDir, vendor, config)))

          yield* Effect.gen(function* () {
            const done = Effect.gen(function* () {
              while ((yield* vendor.log).filter(({ outcome }) => outcome === "rows").length < 2) yield* Effect.sleep(20)
              const [a, b] = [yield* queueOf(acme.name), yield* queueOf(bolt.name)]
              return [yield* ended(a, "LEFT"), yield* ended(b, "WAITING")]
            })
            const states = yield* Effect.raceFirst(
              done,
              TenantJobs.use((jobs) => jobs.work({ concurrency: 2 }))
            )
            assert.deepStrictEqual(states, ["completed", "completed"])
          }).pipe(Effect.scoped, Effect.provide(over(dataDir, vendor, config)))
        })
    )
  })
}
