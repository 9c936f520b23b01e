/**
 * Databases on a server with TimescaleDB that somebody runs, named by TAPESTRY_TEST_TIMESCALE_URL (a user who may make databases and
 * the extension); each test has one of its own, with the extension, and the hypertables where it has tables. They are named by the
 * process, and go with its tests; what a killed process left is removed by the next.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, Redacted, Scope } from "effect"
import { afterAll, describe, it } from "vitest"
import * as MarketStorePostgres from "../../src/layers/market/postgres/MarketStorePostgres.ts"
import { openDatabase } from "../../src/layers/market/postgres/openDatabase.ts"
import { findExtension } from "../../src/layers/market/postgres/timescale/extension.ts"
import { makeHypertables } from "../../src/layers/market/postgres/timescale/hypertables.ts"
import { bareDatabase, emptied, freshDatabase, sql } from "./postgres.ts"

/** Where tests get their databases. */
export interface Databases {
  /** What the server is called in the titles of tests. */
  readonly title: string
  /** One with the tables and without rows. */
  readonly fresh: Effect.Effect<string, never, Scope.Scope>
  /** One without tables. */
  readonly bare: Effect.Effect<string, never, Scope.Scope>
}

const server = process.env.TAPESTRY_TEST_TIMESCALE_URL
const prefix = "tapestry_test_"

const urlOf = (database: string): string => {
  const url = new URL(server ?? "")
  url.pathname = `/${database}`
  return url.href
}

const lives = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const drop = (name: string) => Effect.asVoid(sql(urlOf("postgres"), `drop database if exists ${name} with (force)`))

const named = (like: string) =>
  Effect.map(sql(urlOf("postgres"), `select datname::text from pg_database where datname like '${like}'`), (rows) =>
    rows.map(([name]) => String(name))
  )

let databases = 0

const create = Effect.gen(function* () {
  const name = `${prefix}${process.pid}_${++databases}`
  // Copied from template0, to which nobody connects.
  yield* sql(urlOf("postgres"), `create database ${name} template template0`)
  yield* sql(urlOf(name), "create extension if not exists timescaledb")
  return urlOf(name)
})

/** One with the tables as hypertables, and a connection to empty it with. */
const make = Effect.gen(function* () {
  const url = yield* create
  yield* Effect.scoped(Layer.build(MarketStorePostgres.layer({ url: Redacted.make(url) })))
  yield* Effect.scoped(
    Effect.gen(function* () {
      const database = yield* openDatabase(Redacted.make(url), false)
      const extension = yield* findExtension(database.query("test"))
      if (extension !== null) yield* makeHypertables(database, extension)
    })
  )
  // Lives as long as this process.
  const scope = yield* Scope.make()
  const context = yield* Layer.build(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 })).pipe(
    Scope.provide(scope)
  )
  return { url, client: Context.get(context, PgClient.PgClient) }
})

interface Spare {
  readonly url: string
  readonly client: PgClient.PgClient
}

const spare: Array<Spare> = []

/** `there`: whether there is a server for it. */
export const timescale: Databases & { readonly there: boolean } = {
  title: "TimescaleDB",
  there: server !== undefined,
  fresh: Effect.map(
    Effect.acquireRelease(
      Effect.suspend(() => {
        const found = spare.pop()
        return found === undefined ? Effect.orDie(make) : Effect.succeed(found)
      }),
      (used) =>
        used.client.unsafe(emptied).values.pipe(Effect.andThen(Effect.sync(() => spare.push(used))), Effect.ignore)
    ),
    ({ url }) => url
  ),
  bare: Effect.acquireRelease(create, (url) => Effect.ignore(drop(new URL(url).pathname.slice(1))))
}

/** Databases that one process of tests leaves behind, and those of processes that were killed. */
export const clearTimescale = Effect.gen(function* () {
  for (const name of yield* named(`${prefix}%`)) {
    const pid = Number(name.slice(prefix.length).split("_")[0])
    if (pid === process.pid || !lives(pid)) yield* Effect.ignore(drop(name))
  }
})

const plain: Databases = { title: "PostgreSQL", fresh: freshDatabase, bare: bareDatabase }

/** Runs suites with databases of TimescaleDB, where there is a server for it. */
export const onTimescale = (suites: (databases: Databases) => void): void => {
  if (server === undefined) return
  suites(timescale)
  afterAll(() => Effect.runPromise(clearTimescale))
}

/** The same with one line among the tests that are skipped, which says that they did not run. */
export const onTimescaleOrSkipped = (suites: (databases: Databases) => void): void => {
  onTimescale(suites)
  if (server !== undefined) return
  describe("TimescaleDB", () => {
    it.skip("not tested: TAPESTRY_TEST_TIMESCALE_URL names no server", () => {})
  })
}

/** Runs suites with databases of plain PostgreSQL, and of TimescaleDB where there is a server for it. */
export const onBoth = (suites: (databases: Databases) => void): void => {
  suites(plain)
  onTimescale(suites)
}
