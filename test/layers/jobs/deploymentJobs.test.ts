/** Jobs that change a deployment, over a database with TimescaleDB: each is seen to have done its work. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Redacted, Stream } from "effect"
import * as DeploymentJobs from "../../../src/layers/jobs/deployment/DeploymentJobs.ts"
import * as JobQueueLive from "../../../src/layers/jobs/JobQueueLive.ts"
import * as ConfiguredStore from "../../../src/layers/market/ConfiguredStore.ts"
import { chunkedTables } from "../../../src/layers/market/postgres/timescale/chunkedTables.ts"
import * as ControlPlaneLive from "../../../src/layers/market/upkeep/ControlPlaneLive.ts"
import { startTask } from "../../../src/rpc/handlers/startTask.ts"
import { ControlPlane } from "../../../src/services/ControlPlane.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { ChunkedTableName } from "../../../src/services/StorePolicies.ts"
import { bar, commitOf, covered, everything, minute, seriesOf } from "../../services/market/commits.ts"
import { onTimescale } from "../../support/timescale.ts"
import { policiesOf } from "../market/timescale/stores.ts"

const day = 86_400_000

const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-deployment-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

it("64: every table of chunks can be named, and no other", () => {
  assert.deepStrictEqual([...ChunkedTableName.literals].sort(), chunkedTables.map(({ table }) => table).sort())
})

// That these are not tested where there is no such server is said in test/layers/market/timescale.
onTimescale(({ fresh }) => {
  describe("deployment jobs", () => {
    it.live("64: policies are set, changed and removed by one call each", () =>
      Effect.gen(function* () {
        const store = { store: Redacted.make(yield* fresh), filename: "", readonly: false }
        const context = yield* Layer.build(ControlPlaneLive.layer(store))
        const { policies, setPolicy } = Context.get(context, ControlPlane)
        const listed = Effect.map(policies, (report) =>
          (report?.policies ?? []).map(({ action, afterMillis, of }) => `${action} ${of} ${afterMillis}`).sort()
        )
        const before = yield* listed
        assert.isTrue(yield* setPolicy({ policy: "compression", table: "trades", afterMillis: 7 * day }))
        assert.isTrue(yield* setPolicy({ policy: "compression", table: "trades", afterMillis: 30 * day }))
        assert.isTrue(yield* setPolicy({ policy: "retention", kind: "bar", timeframe: "1m", afterMillis: 900 * day }))
        assert.isTrue(yield* setPolicy({ policy: "aggregate", timeframe: "1h", everyMillis: day }))
        assert.isTrue(yield* setPolicy({ policy: "chunks", table: "quotes", millis: 3 * day }))
        const set = yield* listed
        assert.includeMembers(set, [`compress trades ${30 * day}`, `retention bar 1m ${900 * day}`])
        assert.notInclude(set, `compress trades ${7 * day}`)
        const report = yield* policies
        assert.deepStrictEqual(
          report?.aggregates.map(({ timeframe }) => timeframe),
          ["1h"]
        )
        assert.strictEqual(report?.hypertables.find(({ table }) => table === "quotes")?.chunkMillis, 3 * day)
        for (const removed of [true, false]) {
          assert.strictEqual(yield* setPolicy({ policy: "compression", table: "trades", afterMillis: null }), removed)
          assert.strictEqual(
            yield* setPolicy({ policy: "retention", kind: "bar", timeframe: "1m", afterMillis: null }),
            removed
          )
          assert.strictEqual(yield* setPolicy({ policy: "aggregate", timeframe: "1h", everyMillis: null }), removed)
        }
        assert.deepStrictEqual(
          yield* listed,
          before.filter((line) => !line.startsWith("compress trades"))
        )
        yield* setPolicy({ policy: "chunks", table: "quotes", millis: 7 * day })
      }).pipe(Effect.scoped)
    )

    it.live("63, 64: compress, refresh and retention by policy each do their work, and tell what it was", () =>
      Effect.gen(function* () {
        const url = yield* fresh
        const store = { store: Redacted.make(url), filename: "", readonly: false }
        const context = yield* Layer.build(
          DeploymentJobs.layer.pipe(
            Layer.provideMerge(JobQueueLive.layer({ workflows: join(yield* directory, "workflows.sqlite") })),
            Layer.provideMerge(Layer.merge(ConfiguredStore.layer(store), ControlPlaneLive.layer(store)))
          )
        )
        const queue = Context.get(context, JobQueue)
        const market = Context.get(context, MarketStore)
        const control = Context.get(context, ControlPlane)
        const done = Effect.fnUntraced(function* (task: Parameters<typeof startTask>[1]) {
          const { job } = yield* startTask(queue, task)
          yield* Effect.raceFirst(queue.work({ only: [job.id] }), Stream.runDrain(queue.watch(job.id)))
          return yield* queue.get(job.id)
        })

        const now = yield* Clock.currentTimeMillis
        const old = Math.floor((now - 400 * day) / day) * day
        const recent = Math.floor((now - 10 * day) / day) * day
        const series = seriesOf("A")
        const bars = (from: number) => Array.from({ length: 60 }, (_, index) => bar(from + index * minute, 1 + index))
        yield* market.commit(
          commitOf(series, 1, [...bars(old), ...bars(recent)], {
            coverage: [
              [old, old + 60 * minute, covered(1)],
              [recent, recent + 60 * minute, covered(1)]
            ]
          })
        )
        const policies = yield* policiesOf(url)

        const early = yield* done({ type: "refresh", payload: {} })
        assert.deepInclude(early.job, { state: "failed", attempts: 1 })
        assert.match(early.job.error ?? "", /no bars are made: tapestry store aggregates add/)
        yield* policies.addAggregate("1h", day)
        const refreshed = yield* done({ type: "refresh", payload: { timeframe: "1h" } })
        assert.strictEqual(refreshed.job.state, "completed", refreshed.job.error ?? "")
        const [made] = (yield* control.policies)?.aggregates ?? []
        assert.deepStrictEqual(made, { timeframe: "1h", upTo: recent + 3_600_000 }, "it is made up to its newest bar")

        const compressed = yield* done({ type: "compress", payload: { table: "bars", olderThanMillis: 200 * day } })
        assert.strictEqual(compressed.job.state, "completed", compressed.job.error ?? "")
        const report = yield* control.policies
        assert.isAtLeast(report?.hypertables.find(({ table }) => table === "bars")?.compressedChunks ?? 0, 1)

        assert.strictEqual(yield* market.count(series, everything), 120)
        yield* policies.setRetention({ kind: "bar", timeframe: null }, 300 * day)
        const retained = yield* done({ type: "retention", payload: {} })
        assert.deepInclude(retained.job, { state: "completed", error: null })
        assert.strictEqual(yield* market.count(series, everything), 60, "what is younger stays")
        assert.deepStrictEqual(
          (yield* market.coverage(series, everything)).map(({ start }) => start),
          [recent]
        )
      }).pipe(Effect.scoped)
    )
  })
})
