import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Deferred, Effect, Layer, Stream } from "effect"
import type { ModelRequest, ModelVendor } from "../../../src/layers/testing/ModelVendor.ts"
import { Throttled, Unavailable } from "../../../src/services/Adapter.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { backfill, ended, hour, over, specOf, start, temporary, vendorOf, working } from "./support.ts"

const askedOf = (vendor: ModelVendor) =>
  Effect.map(vendor.log, (replies) => replies.map(({ range, symbol }) => `${symbol} ${(range.start - start) / hour}`))

const inDirectory = <A, E>(
  vendor: ModelVendor,
  effect: (directory: string) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof over>>>
) =>
  Effect.gen(function* () {
    const directory = yield* temporary
    return yield* Effect.provide(effect(directory), Layer.fresh(over(directory, vendor)))
  })

describe("backfill", () => {
  it.live("has what is missing of every symbol, each request once, and reports it", () => {
    const vendor = vendorOf()
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h")
        // A part is there already.
        yield* cache.read({ series, range: { start: start + 6 * hour, end: start + 12 * hour } })
        const payload = backfill(["ALPHA", "BETA"])
        const { job } = yield* queue.enqueue(specOf("a", payload))
        const { run } = yield* working(ended(job.id))
        assert.deepStrictEqual(run?.outcome, {
          rows: 18 + 24,
          rowsStored: 48,
          rowsFailed: 0,
          requests: 3 + 4,
          holes: [],
          holeCount: 0
        })
        assert.deepInclude(run, { status: "success", provider: "model", mode: "backfill", attempt: 1 })
        assert.deepStrictEqual(run?.symbols, ["ALPHA", "BETA"])
        assert.deepStrictEqual(run?.range, payload.range)
        assert.strictEqual((yield* askedOf(vendor)).length, 8)
        const answer = yield* cache.read(
          { series, range: payload.range ?? { start, end: start + 1 } },
          { onMissing: "fail" }
        )
        assert.strictEqual(answer.requests, 0)
        assert.deepStrictEqual(yield* Stream.runCollect(answer.bars), yield* vendor.direct(series, answer.range))
      })
    )
  })

  it.live("an adjusted series is had as one read of it would have it", () => {
    const vendor = vendorOf({ splits: [{ at: start + 15 * hour, ratio: 2 }] })
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const cache = yield* StitchingCache
        const series = vendor.series("ALPHA", "1h", "splits")
        const range = { start, end: start + 24 * hour }
        // What is there already has to fit with what comes.
        yield* cache.read({ series, range: { start: start + 6 * hour, end: start + 12 * hour } })
        const { job } = yield* queue.enqueue(specOf("a", { ...backfill(["ALPHA"]), adjustment: "splits" }))
        const { job: last, run } = yield* working(ended(job.id))
        assert.strictEqual(last.state, "completed")
        assert.deepInclude(run?.outcome, { rowsStored: 24, holeCount: 0 })
        const answer = yield* cache.read({ series, range }, { onMissing: "fail" })
        assert.deepStrictEqual(yield* Stream.runCollect(answer.bars), yield* vendor.direct(series, range))
      })
    )
  })

  it.live("a failed one is retried and succeeds", () => {
    const trouble = ({ attempt, range }: ModelRequest) =>
      attempt <= 8 && range.start === start + 6 * hour ? new Unavailable({ message: "the line is down" }) : null
    const vendor = vendorOf({ trouble })
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const { job } = yield* queue.enqueue(specOf("a", backfill(["ALPHA"]), { maxAttempts: 9 }))
        const { job: last } = yield* working(ended(job.id))
        assert.strictEqual(last.state, "completed")
        assert.isNull(last.error)
        const runs = yield* queue.runs(job.id)
        assert.isAtLeast(runs.length, 2)
        assert.strictEqual(runs[0]?.status, "failure")
        assert.match(runs[0]?.error ?? "", /the line is down/)
        assert.strictEqual(runs[0]?.outcome?.holeCount, 1)
        assert.strictEqual(runs.at(-1)?.status, "success")
        assert.strictEqual(runs.at(-1)?.outcome?.rowsStored, 24)
        // What was had in the first attempt was not asked for again.
        const asked = yield* askedOf(vendor)
        for (const piece of ["ALPHA 0", "ALPHA 12", "ALPHA 18"]) {
          assert.strictEqual(asked.filter((one) => one === piece).length, 1, piece)
        }
      })
    )
  })

  it.live("one that fails whenever it is tried is a dead letter, and says what it had", () => {
    const trouble = ({ range }: ModelRequest) =>
      range.start === start + 6 * hour ? new Throttled({ retryAfter: 20 }) : null
    const vendor = vendorOf({ trouble })
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const { job } = yield* queue.enqueue(specOf("a", backfill(["ALPHA"]), { maxAttempts: 2 }))
        const { job: last, run } = yield* working(ended(job.id))
        assert.strictEqual(last.state, "deadletter")
        assert.strictEqual(last.attempts, 2)
        assert.deepInclude(run?.outcome, { rowsStored: 18, holeCount: 1 })
        assert.strictEqual(run?.outcome?.holes[0]?.symbol, "ALPHA")
        assert.strictEqual(run?.outcome?.holes[0]?.interval.start, start + 6 * hour)
      })
    )
  })

  it.live("a symbol that the vendor does not know fails without another attempt, and leaves the others alone", () =>
    inDirectory(vendorOf(), () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const wrong = yield* queue.enqueue(specOf("a", backfill(["NOPE"])))
        const both = yield* queue.enqueue(specOf("b", backfill(["NOPE", "ALPHA"])))
        const [first, second] = yield* working(Effect.all([ended(wrong.job.id), ended(both.job.id)]))
        assert.strictEqual(first.job.state, "failed")
        assert.strictEqual(first.job.attempts, 1)
        assert.match(first.job.error ?? "", /NOPE/)
        assert.strictEqual(second.job.state, "completed")
        assert.strictEqual(second.run?.outcome?.rowsStored, 24)
        assert.strictEqual(second.run?.outcome?.holeCount, 1)
      })
    )
  )

  it.live("the same backfill on two days runs twice", () => {
    const vendor = vendorOf()
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const payload = backfill(["ALPHA"])
        const results = yield* working(
          Effect.forEach(["2024-06-01", "2024-06-02"], (day) =>
            Effect.gen(function* () {
              const { created, job } = yield* queue.enqueue(specOf(`alpha ${day}`, payload))
              assert.isTrue(created)
              return yield* ended(job.id)
            })
          )
        )
        assert.deepStrictEqual(
          results.map(({ job }) => job.state),
          ["completed", "completed"]
        )
        assert.deepStrictEqual(
          results.map(({ run }) => run?.outcome?.requests),
          [4, 0]
        )
        assert.strictEqual(results[0]?.run?.fingerprint, results[1]?.run?.fingerprint)
        // And with one key, when it is asked for again.
        const same = specOf("alpha 2024-06-01", payload)
        assert.isFalse((yield* queue.enqueue(same)).created)
        const again = yield* queue.enqueue(same, { again: true })
        assert.isTrue(again.created)
        assert.strictEqual((yield* working(ended(again.job.id))).job.state, "completed")
      })
    )
  })

  it.live("jobs run by their priority, then by their age, and not before their instant", () => {
    const vendor = vendorOf({ symbols: ["NEVER", "LOW", "OLD", "NEW", "HIGH", "LATER"] })
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const job = (symbol: string, parts = {}) => queue.enqueue(specOf(symbol, backfill([symbol], 1), parts))
        const never = yield* job("NEVER", { priority: "urgent", notBefore: Date.now() + hour })
        const low = yield* job("LOW", { priority: "low" })
        yield* job("OLD")
        yield* job("NEW")
        yield* job("HIGH", { priority: "high" })
        yield* working(
          Effect.gen(function* () {
            yield* ended(low.job.id)
            const notBefore = Date.now() + 300
            const later = yield* job("LATER", { notBefore })
            const { run } = yield* ended(later.job.id)
            assert.isAtLeast(run?.startedAt ?? 0, notBefore)
          })
        )
        assert.deepStrictEqual(yield* askedOf(vendor), ["HIGH 0", "OLD 0", "NEW 0", "LOW 0", "LATER 0"])
        assert.strictEqual((yield* queue.get(never.job.id)).job.state, "queued")
      })
    )
  })

  it.live("one that waits and one that runs are cancelled, and what was had is kept", () => {
    const reached = Deferred.makeUnsafe<void>()
    const vendor = vendorOf({
      onRequest: ({ range }) =>
        range.start === start + 12 * hour
          ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
          : Effect.void
    })
    return inDirectory(vendor, () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const running = yield* queue.enqueue(specOf("a", backfill(["ALPHA"])))
        const waiting = yield* queue.enqueue(specOf("b", backfill(["BETA"])))
        yield* working(
          Effect.gen(function* () {
            yield* Deferred.await(reached)
            assert.strictEqual((yield* queue.cancel(waiting.job.id)).state, "cancelled")
            assert.strictEqual((yield* queue.cancel(running.job.id)).state, "cancelled")
            const next = yield* queue.enqueue(specOf("c", backfill(["GAMMA"], 1)))
            assert.strictEqual((yield* ended(next.job.id)).job.state, "completed")
          })
        )
        const { run } = yield* queue.get(running.job.id)
        assert.strictEqual(run?.status, "cancelled")
        assert.strictEqual(run?.outcome?.rows, 12)
        assert.deepStrictEqual(yield* askedOf(vendor), ["ALPHA 0", "ALPHA 6", "ALPHA 12", "GAMMA 0"])
      })
    )
  })

  it.live("an orderly end in the middle puts it aside, and whoever comes next goes on", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const reached = Deferred.makeUnsafe<void>()
      const vendor = vendorOf({
        latency: [30, 30],
        onRequest: ({ range }) =>
          range.start === start + 12 * hour ? Deferred.succeed(reached, undefined) : Effect.void
      })
      const job = yield* Effect.gen(function* () {
        const queue = yield* JobQueue
        const enqueued = yield* queue.enqueue(specOf("a", backfill(["ALPHA"])))
        yield* working(Deferred.await(reached))
        return enqueued.job
      }).pipe(Effect.provide(Layer.fresh(over(directory, vendor))))
      yield* Effect.gen(function* () {
        const queue = yield* JobQueue
        const aside = yield* queue.get(job.id)
        assert.strictEqual(aside.job.state, "queued")
        assert.strictEqual(aside.run?.status, "suspended")
        const { job: last, run } = yield* working(ended(job.id))
        assert.strictEqual(last.state, "completed")
        assert.strictEqual(last.attempts, 1)
        assert.strictEqual(run?.outcome?.rowsStored, 24)
        assert.strictEqual(run?.outcome?.requests, 4)
      }).pipe(Effect.provide(Layer.fresh(over(directory, vendor))))
      assert.deepStrictEqual(yield* askedOf(vendor), ["ALPHA 0", "ALPHA 6", "ALPHA 12", "ALPHA 18"])
      // Nothing is kept of what is over.
      const workflows = new Database(join(directory, "workflows.sqlite"), { readonly: true })
      for (const table of ["cluster_messages", "cluster_replies"]) {
        assert.strictEqual(workflows.prepare(`select count(*) from ${table}`).pluck().get(), 0, table)
      }
      workflows.close()
    }).pipe(Effect.scoped)
  )

  it.live("one whose request does not end is put aside all the same, and asked for again", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const reached = Deferred.makeUnsafe<void>()
      let stalled = true
      const vendor = vendorOf({
        onRequest: ({ range }) =>
          stalled && range.start === start + 12 * hour
            ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
            : Effect.void
      })
      const job = yield* Effect.gen(function* () {
        const queue = yield* JobQueue
        const enqueued = yield* queue.enqueue(specOf("a", backfill(["ALPHA"])))
        yield* working(Deferred.await(reached))
        return enqueued.job
      }).pipe(Effect.provide(Layer.fresh(over(directory, vendor))))
      stalled = false
      const { job: last, run } = yield* Effect.gen(function* () {
        return yield* working(ended(job.id))
      }).pipe(Effect.provide(Layer.fresh(over(directory, vendor))))
      assert.strictEqual(last.state, "completed")
      assert.strictEqual(last.attempts, 1)
      assert.strictEqual(run?.outcome?.rowsStored, 24)
      assert.deepStrictEqual(yield* askedOf(vendor), ["ALPHA 0", "ALPHA 6", "ALPHA 12", "ALPHA 12", "ALPHA 18"])
    }).pipe(Effect.scoped)
  )

  it.live("what nobody can mean is refused before it is queued", () =>
    inDirectory(vendorOf(), () =>
      Effect.gen(function* () {
        const queue = yield* JobQueue
        const good = specOf("a", backfill(["ALPHA"]))
        const reasons = yield* Effect.forEach(
          [
            { ...good, type: "repaint" },
            { ...good, payload: {} },
            { ...good, payload: { ...backfill(["ALPHA"]), last: 1_000 } as never },
            { ...good, payload: { ...backfill(["ALPHA"]), vendors: "model" } as never },
            { ...good, payload: backfill(["ALPHA", "ALPHA"]) as never }
          ],
          (spec) => Effect.map(Effect.flip(queue.enqueue(spec)), ({ reason }) => reason._tag)
        )
        assert.deepStrictEqual(reasons, ["UnknownJobType", "InvalidJob", "InvalidJob", "InvalidJob", "InvalidJob"])
        assert.deepStrictEqual(yield* queue.list(), [])
      })
    )
  )
})
