/** What has ended is kept as it is by the databases themselves. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Layer, Redacted } from "effect"
import { nothingDone } from "../../../src/domain/Job.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { freshDatabase, sql } from "../../support/postgres.ts"

const endedJob = Effect.gen(function* () {
  const ledger = yield* JobLedger
  const { job } = yield* ledger.enqueue({ key: "a", type: "backfill", payload: {} })
  const read = () => Effect.succeed({ provider: "model", mode: "backfill", symbols: [], range: null } as const)
  yield* ledger.claim({ runner: "here", only: null, types: ["backfill", "signals"] }, read)
  yield* ledger.finish(job.id, 1, { _tag: "done", outcome: nothingDone })
  return job.id
})

const changes = (schema: string) =>
  [
    [`update ${schema}jobs set state = 'queued'`, /a job that has ended/],
    [`update ${schema}job_runs set status = 'running'`, /an attempt that has ended/]
  ] as const

describe("the end of a job", () => {
  it.effect("C83 is kept by SQLite", () =>
    Effect.gen(function* () {
      const directory = mkdtempSync(join(tmpdir(), "tapestry-jobs-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
      const filename = join(directory, "market.sqlite")
      yield* Effect.provide(endedJob, Layer.fresh(MarketStoreSqlite.layer({ filename })))
      const database = new Database(filename)
      for (const [statement, why] of changes("")) assert.throws(() => database.exec(statement), why)
      database.close()
    })
  )

  it.effect("C83 is kept by PostgreSQL", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.provide(endedJob, Layer.fresh(MarketStorePostgres.layer({ url: Redacted.make(url) })))
      for (const [statement, why] of changes("tapestry_base.")) {
        const refused = yield* Effect.exit(sql(url, statement))
        assert.match(
          JSON.stringify(refused, (_, value) => (value instanceof Error ? { ...value, said: value.message } : value)),
          why
        )
      }
    })
  )
})
