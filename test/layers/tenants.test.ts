/** How many tenants one process has open, when one is closed, and that it is opened anew behind that. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import { TenantName } from "../../src/domain/Tenant.ts"
import { defaults } from "../../src/layers/config/TapestryConfig.ts"
import { sqliteUpkeep } from "../../src/layers/market/upkeep/sqliteUpkeep.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import { maxOpenTenants } from "../../src/layers/tenants/OpenTenantsLive.ts"
import { MarketStore } from "../../src/services/MarketStore.ts"
import { OpenTenants } from "../../src/services/OpenTenants.ts"
import type { TenantError } from "../../src/services/TenantError.ts"

const names = (count: number) => Array.from({ length: count }, (_, at) => TenantName.make(`desk-${at}`))

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-open-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const over = <A, E>(tenants: ReadonlyArray<TenantName>, body: Effect.Effect<A, E, OpenTenants | Scope.Scope>) =>
  Effect.gen(function* () {
    const dataDir = yield* directory
    const added = Layer.effectDiscard(
      Effect.gen(function* () {
        const upkeep = yield* sqliteUpkeep(join(dataDir, "market.sqlite"), false)
        for (const tenant of tenants) yield* upkeep.tenants.add(tenant)
      }).pipe(Effect.scoped, Effect.orDie)
    )
    return yield* Effect.provide(
      Effect.scoped(body),
      added.pipe(
        Layer.provideMerge(Tapestry.layer({ dataDir, config: { ...defaults, dataDir } })),
        Layer.provide(NodeServices.layer),
        Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Error"))
      )
    )
  }).pipe(Effect.scoped)

const reasonOf = <A, R>(effect: Effect.Effect<A, TenantError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

/** A tenant's services, and what gives them back. */
const taken = (tenant: TenantName) =>
  Effect.gen(function* () {
    const tenants = yield* OpenTenants
    const scope = yield* Scope.fork(yield* Effect.scope)
    const services = yield* Scope.provide(tenants.services(tenant), scope)
    return { services, giveBack: Scope.close(scope, Exit.void) }
  })

describe("open tenants", () => {
  it.effect("are opened once however many ask, and closed when nobody has had them for a while", () =>
    over(
      names(1),
      Effect.gen(function* () {
        const [tenant = TenantName.make("default")] = names(1)
        const many = yield* Effect.forEach(Array.from({ length: 8 }), () => taken(tenant), { concurrency: "unbounded" })
        const [first] = many
        assert.strictEqual(new Set(many.map(({ services }) => services)).size, 1)
        yield* Effect.forEach(many, ({ giveBack }) => giveBack)
        yield* TestClock.adjust("4 minutes")
        const again = yield* taken(tenant)
        assert.strictEqual(again.services, first?.services)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual((yield* taken(tenant)).services, first?.services, "somebody has it")
        yield* again.giveBack
      })
    )
  )

  it.effect("one that was closed is opened anew, and works", () =>
    over(
      names(1),
      Effect.gen(function* () {
        const [tenant = TenantName.make("default")] = names(1)
        const first = yield* taken(tenant)
        yield* first.giveBack
        yield* TestClock.adjust("6 minutes")
        const second = yield* taken(tenant)
        assert.notStrictEqual(second.services, first.services)
        assert.deepStrictEqual(yield* Context.get(second.services, MarketStore).series, [])
      })
    )
  )

  it.effect("as many as may be open are, and one that nobody has makes room", () =>
    over(
      names(maxOpenTenants + 2),
      Effect.gen(function* () {
        const tenants = yield* OpenTenants
        const all = names(maxOpenTenants + 2)
        const [last, another] = [all[maxOpenTenants], all[maxOpenTenants + 1]]
        if (last === undefined || another === undefined) return
        const open = yield* Effect.forEach(all.slice(0, maxOpenTenants), taken)
        assert.strictEqual(yield* reasonOf(Effect.scoped(tenants.services(last))), "TooManyTenants")
        yield* open[5]?.giveBack ?? Effect.void
        const kept = yield* taken(last)
        assert.strictEqual(yield* reasonOf(Effect.scoped(tenants.services(another))), "TooManyTenants")
        // The one that made room is one more now.
        assert.strictEqual(yield* reasonOf(Effect.scoped(tenants.services(all[5] ?? last))), "TooManyTenants")
        assert.strictEqual((yield* taken(last)).services, kept.services)
      })
    )
  )

  it.effect("one that could not be opened is tried again", () =>
    over(
      names(1),
      Effect.gen(function* () {
        const tenants = yield* OpenTenants
        for (let asked = 0; asked < 3; asked++) {
          assert.strictEqual(yield* reasonOf(tenants.services(TenantName.make("nobody"))), "NoSuchTenant")
        }
        // They count among nobody's.
        const [tenant = TenantName.make("default")] = names(1)
        assert.deepStrictEqual(yield* Context.get((yield* taken(tenant)).services, MarketStore).series, [])
      })
    )
  )
})
