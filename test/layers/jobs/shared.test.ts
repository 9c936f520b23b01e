/** Jobs in a PostgreSQL that several run jobs from, each with workflows of its own. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Redacted, Schema, Stream } from "effect"
import { nothingDone } from "../../../src/domain/Job.ts"
import * as JobQueueLive from "../../../src/layers/jobs/JobQueueLive.ts"
import * as MarketStorePostgres from "../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { JobQueue, type JobType } from "../../../src/services/JobQueue.ts"
import { freshDatabase } from "../../support/postgres.ts"
import { temporary } from "./support.ts"

const typeOf = (run: JobType["run"]): JobType => ({
  name: "named",
  read: () => Effect.succeed({ provider: "none", mode: "live", symbols: [], range: null }),
  run
})

/** One of those who share the database. */
const sharer = (url: string, run: JobType["run"]) =>
  Effect.gen(function* () {
    const directory = yield* temporary
    const context = yield* Layer.build(
      Layer.fresh(
        JobQueueLive.layer({ workflows: join(directory, "workflows.sqlite") }).pipe(
          Layer.provide(MarketStorePostgres.layer({ url: Redacted.make(url) }))
        )
      )
    )
    const queue = Context.get(context, JobQueue)
    yield* queue.register(typeOf(run))
    return queue
  })

const endedIn = (queue: JobQueue["Service"], job: Parameters<JobQueue["Service"]["watch"]>[0]) =>
  Effect.map(Stream.runLast(queue.watch(job)), (last) => (last._tag === "Some" ? last.value.job.state : null))

describe("jobs in a shared PostgreSQL", () => {
  it.live("each is run once, by one of those who run jobs", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const begun: Array<string> = []
      const run =
        (who: string): JobType["run"] =>
        ({ job, step }) =>
          step(
            "only",
            Schema.Int,
            Effect.gen(function* () {
              begun.push(`${job.key}`)
              yield* Effect.sleep(20)
              return who.length
            })
          ).pipe(Effect.as({ outcome: nothingDone }))
      const [a, b] = yield* Effect.all([sharer(url, run("a")), sharer(url, run("b"))])
      const keys = Array.from({ length: 12 }, (_, n) => `key ${n}`)
      const jobs = yield* Effect.forEach(keys, (key) => a.enqueue({ key, type: "named", payload: null }))
      const all = Effect.forEach(jobs, ({ job }) => endedIn(b, job.id), { concurrency: "unbounded" })
      const states = yield* Effect.raceFirst(all, Effect.raceFirst(a.work(), b.work()))
      assert.isTrue(
        states.every((state) => state === "completed"),
        String(states)
      )
      assert.deepStrictEqual([...begun].sort(), [...keys].sort())
    }).pipe(Effect.scoped)
  )

  it.live("one that runs is left alone by the others, and ends when one of them cancels it", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const reached = Deferred.makeUnsafe<void>()
      const interrupted = Deferred.makeUnsafe<void>()
      const endless: JobType["run"] = ({ step }) =>
        step(
          "only",
          Schema.Void,
          Effect.andThen(Deferred.succeed(reached, undefined), Effect.never).pipe(
            Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
          )
        ).pipe(Effect.as({ outcome: nothingDone }))
      const nothing: JobType["run"] = () => Effect.succeed({ outcome: nothingDone })
      const [a, b] = yield* Effect.all([sharer(url, endless), sharer(url, nothing)])
      const { job } = yield* a.enqueue({ key: "endless", type: "named", payload: null })
      // With room for no other.
      const running = yield* Effect.forkChild(a.work({ concurrency: 1 }))
      yield* Deferred.await(reached)
      const other = yield* Effect.forkChild(b.work())
      const short = yield* b.enqueue({ key: "short", type: "named", payload: null })
      assert.strictEqual(yield* endedIn(b, short.job.id), "completed")
      assert.strictEqual((yield* b.get(job.id)).job.state, "running")
      const asked = yield* b.cancel(job.id)
      assert.deepInclude(asked, { state: "running", cancelling: true })
      assert.strictEqual(yield* endedIn(b, job.id), "cancelled")
      yield* Deferred.await(interrupted)
      yield* Fiber.interruptAll([running, other])
    }).pipe(Effect.scoped)
  )
})
