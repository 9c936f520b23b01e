/** Jobs that nobody here can do: they say so, wait, and are done when somebody comes who can. */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, References } from "effect"
import { nothingDone } from "../../../src/domain/Job.ts"
import * as JobQueueLive from "../../../src/layers/jobs/JobQueueLive.ts"
import * as MarketStoreSqlite from "../../../src/layers/market/MarketStoreSqlite.ts"
import { JobLedger } from "../../../src/services/JobLedger.ts"
import { JobQueue, type JobType } from "../../../src/services/JobQueue.ts"
import { ended, temporary } from "./support.ts"

const typeOf = (name: string, adminOnly = false): JobType => ({
  name,
  ...(adminOnly ? { adminOnly: true } : {}),
  read: () => Effect.succeed({ provider: "model", mode: "backfill", symbols: [], range: null }),
  run: () => Effect.succeed({ outcome: nothingDone })
})

const test = <E>(
  title: string,
  body: (warned: ReadonlyArray<string>) => Effect.Effect<void, E, JobQueue | JobLedger>
) =>
  it.live(title, () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const warned: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") warned.push(String(message))
      })
      const services = JobQueueLive.layer({ workflows: join(directory, "workflows.sqlite") }).pipe(
        Layer.provideMerge(MarketStoreSqlite.layer({ filename: join(directory, "market.sqlite") })),
        Layer.provide(Logger.layer([logger])),
        Layer.provide(Layer.succeed(References.MinimumLogLevel, "Warn")),
        Layer.fresh
      )
      yield* Effect.provide(body(warned), services)
    }).pipe(Effect.scoped)
  )

describe("a job of a type that nobody here knows", () => {
  test("says that it waits for somebody, is warned of once, and is done by who comes", (warned) =>
    Effect.gen(function* () {
      const queue = yield* JobQueue
      const ledger = yield* JobLedger
      const { job } = yield* ledger.enqueue({ key: "a", type: "paint", payload: null })
      const other = yield* ledger.enqueue({ key: "b", type: "paint", payload: null })
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* queue.register(typeOf("known"))
          const known = yield* queue.enqueue({ key: "c", type: "known", payload: null })
          assert.deepStrictEqual(
            (yield* queue.list()).map((view) => [view.job.key, view.unknownType]),
            [
              ["c", undefined],
              ["b", true],
              ["a", true]
            ]
          )
          assert.isTrue((yield* queue.get(job.id)).unknownType)
          yield* Effect.raceFirst(ended(known.job.id), queue.work())
          assert.isUndefined((yield* queue.get(known.job.id)).unknownType)
          assert.lengthOf(warned, 1)
          assert.match(warned[0] ?? "", /jobs of the type paint wait, and nobody here can do them \(known\)/)
        })
      )
      yield* queue.register(typeOf("paint"))
      assert.isUndefined((yield* queue.get(job.id)).unknownType)
      yield* Effect.raceFirst(Effect.andThen(ended(job.id), ended(other.job.id)), queue.work())
      assert.strictEqual((yield* queue.get(job.id)).job.state, "completed")
      assert.lengthOf(warned, 1)
    }).pipe(Effect.scoped))
})

describe("a job that is for admins", () => {
  test("is cancelled, begun anew and removed by nobody else", () =>
    Effect.gen(function* () {
      const queue = yield* JobQueue
      yield* queue.register(typeOf("deploy", true))
      yield* queue.register(typeOf("known"))
      const asAdmin = { asAdmin: true } as const
      const { job } = yield* queue.enqueue({ key: "a", type: "deploy", payload: null }, asAdmin)
      const mine = yield* queue.enqueue({ key: "b", type: "known", payload: null })
      const refusals = [Effect.asVoid(queue.cancel(job.id)), Effect.asVoid(queue.retry(job.id))]
      for (const refused of refusals) {
        const { reason } = yield* Effect.flip(refused)
        assert.strictEqual(reason._tag, "InvalidJob")
      }
      assert.strictEqual((yield* queue.get(job.id)).job.state, "queued")
      assert.strictEqual((yield* queue.cancel(job.id, asAdmin)).state, "cancelled")
      assert.strictEqual((yield* queue.cancel(mine.job.id)).state, "cancelled")
      assert.strictEqual(yield* queue.cleanup(Number.MAX_SAFE_INTEGER), 1)
      assert.deepStrictEqual(
        (yield* queue.list()).map((view) => view.job.key),
        ["a"]
      )
      const again = yield* queue.retry(job.id, asAdmin)
      assert.isTrue(again.created)
      yield* queue.cancel(again.job.id, asAdmin)
      assert.strictEqual(yield* queue.cleanup(Number.MAX_SAFE_INTEGER, asAdmin), 2)
    }).pipe(Effect.scoped))
})
