/** Jobs that follow from a commit are there exactly when its rows are. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Redacted } from "effect"
import { nothingDone } from "../../../src/domain/Job.ts"
import { FaultPoint } from "../../../src/layers/FaultPoint.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { bar, commitOf, everything, minute, seriesOf } from "../../services/market/commits.ts"
import { freshDatabase } from "../../support/postgres.ts"

const sqlite = Layer.unwrap(
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-outbox-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    ),
    (directory) => MarketStoreSqlite.layer({ filename: join(directory, "market.sqlite") })
  )
)
const postgres = Layer.unwrap(
  Effect.map(freshDatabase, (url) => MarketStorePostgres.layer({ url: Redacted.make(url) }))
)

const jobs = [{ key: "signals of A", type: "signals", payload: { symbol: "A" }, priority: "high" }] as const
const rows = (count: number) => Array.from({ length: count }, (_, index) => bar(index * minute, 1 + (index % 3)))

for (const [name, layer] of [
  ["SQLite", sqlite],
  ["PostgreSQL", postgres]
] as const) {
  describe(`jobs that follow from a commit (${name})`, () => {
    it.effect("are queued with its rows, and not again when it is repeated", () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const ledger = yield* JobLedger
        const commit = commitOf(seriesOf("A"), 1, rows(9), { jobs })
        yield* store.commit(commit)
        const [view, ...others] = yield* ledger.list()
        assert.deepStrictEqual(others, [])
        assert.deepInclude(view?.job, { key: "signals of A", type: "signals", state: "queued", priority: "high" })
        assert.isTrue((yield* store.commit(commit)).alreadyApplied)
        // While it waits, the next commit needs no other.
        yield* store.commit(commitOf(seriesOf("A"), 2, rows(10), { jobs }))
        assert.strictEqual((yield* ledger.list()).length, 1)
        const read = () => Effect.succeed({ provider: "", mode: "live", symbols: [], range: null } as const)
        const claimed = yield* ledger.claim({ runner: "here", only: null, types: ["backfill", "signals"] }, read)
        if (claimed === null) return assert.fail("nothing to claim")
        yield* ledger.finish(claimed.job.id, 1, { _tag: "done", outcome: nothingDone })
        assert.isTrue((yield* store.commit(commit)).alreadyApplied)
        assert.strictEqual((yield* ledger.list()).length, 1)
        // What comes after it was done is worth another.
        yield* store.commit(commitOf(seriesOf("A"), 3, rows(11), { jobs }))
        assert.strictEqual((yield* ledger.list({ states: ["queued"] })).length, 1)
      }).pipe(Effect.provide(Layer.fresh(layer)))
    )

    it.effect("are not there when it leaves nothing", () =>
      Effect.gen(function* () {
        const store = yield* MarketStore
        const ledger = yield* JobLedger
        let reached = 0
        const dying = commitOf(seriesOf("B"), 1, rows(90), { jobs })
        const exit = yield* Effect.exit(
          store.commitAll([commitOf(seriesOf("A"), 1, rows(9), { jobs }), dying]).pipe(
            // In the second, when the jobs of the first are queued.
            Effect.provideService(FaultPoint, (point) => {
              if (point === "midCommit" && ++reached === 2) throw new Error("the power went")
            })
          )
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* ledger.list(), [])
        assert.strictEqual(yield* store.count(seriesOf("A"), everything), 0)
        yield* store.commit(dying)
        assert.strictEqual((yield* ledger.list()).length, 1)
      }).pipe(Effect.provide(Layer.fresh(layer)))
    )
  })
}
