/** The control plane over stores that are older than this release, as a server of it would have them. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Redacted, type Scope } from "effect"
import { migrations as sqliteMigrations } from "../../../../src/layers/market/migrations.ts"
import { migrations as postgresMigrations } from "../../../../src/layers/market/postgres/migrations.ts"
import { openDatabase } from "../../../../src/layers/market/postgres/openDatabase.ts"
import * as ControlPlaneLive from "../../../../src/layers/market/upkeep/ControlPlaneLive.ts"
import { migrate as migratePostgres } from "../../../../src/layers/postgres/migrate.ts"
import { migrate } from "../../../../src/layers/sqlite/migrate.ts"
import { open } from "../../../../src/layers/sqlite/SqliteDatabase.ts"
import { ControlPlane } from "../../../../src/services/ControlPlane.ts"
import { migrationsApplied } from "../../../../src/services/Metrics.ts"
import { bareDatabase } from "../../../support/postgres.ts"

interface Older {
  readonly options: ControlPlaneLive.ControlPlaneOptions
  readonly version: number
  readonly newest: number
}

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-control-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const olderFile: Effect.Effect<Older, unknown, Scope.Scope> = Effect.gen(function* () {
  const filename = join(yield* directory, "market.sqlite")
  const older = sqliteMigrations.slice(0, 3)
  yield* Effect.scoped(
    Effect.flatMap(open({ filename, synchronous: "NORMAL" }), (database) => migrate(database, older))
  )
  return { options: { store: null, filename, readonly: false }, version: 3, newest: sqliteMigrations.length }
})

const olderDatabase: Effect.Effect<Older, unknown, Scope.Scope> = Effect.gen(function* () {
  const store = Redacted.make(yield* bareDatabase)
  yield* Effect.scoped(
    Effect.flatMap(openDatabase(store, false), (database) => migratePostgres(database, postgresMigrations.slice(0, 1)))
  )
  return { options: { store, filename: "", readonly: false }, version: 1, newest: postgresMigrations.length }
})

for (const [name, older] of [
  ["market.sqlite", olderFile],
  ["PostgreSQL", olderDatabase]
] as const) {
  describe(`ControlPlane: ${name}`, () => {
    it.live("63: an older store is seen for what it is, and migrated once by two at a time", () =>
      Effect.gen(function* () {
        const { newest, options, version } = yield* older
        const counted = Effect.map(Metric.value(migrationsApplied), ({ count }) => count)
        const before = yield* counted
        yield* Effect.gen(function* () {
          const control = yield* ControlPlane
          assert.deepInclude(yield* control.schema, { version, expected: newest, state: "behind" })
          assert.strictEqual((yield* control.status).version, version)
          const both = yield* Effect.all([control.migrate, control.migrate], { concurrency: 2 })
          const ran = both.flatMap(({ applied }) => applied)
          assert.deepStrictEqual(
            ran,
            Array.from({ length: newest - version }, (_, index) => version + index + 1)
          )
          assert.isTrue(both.every((migrated) => migrated.version === newest))
          assert.deepInclude(yield* control.schema, { version: newest, state: "current" })
          assert.deepStrictEqual((yield* control.status).kinds, [])
          assert.strictEqual((yield* counted) - before, newest - version)
        }).pipe(Effect.provide(ControlPlaneLive.layer(options)))
      }).pipe(Effect.scoped)
    )
  })
}
