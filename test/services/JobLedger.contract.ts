/** What every layer of JobLedger must do. Uses the service alone, so that it runs unchanged against any database. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { type Job, type JobConfiguration, JobId, type JobSpec, nothingDone } from "../../src/domain/Job.ts"
import { JobLedger } from "../../src/services/JobLedger.ts"
import type { JobQueueError } from "../../src/services/JobQueue.ts"
import type { MarketStoreError } from "../../src/services/MarketStore.ts"

const day = 86_400_000
const spec = (key: string, parts: Partial<JobSpec> = {}): JobSpec => ({
  key,
  type: "backfill",
  payload: { symbols: [key] },
  ...parts
})
const about: JobConfiguration = { provider: "model", mode: "backfill", symbols: ["A"], range: { start: 0, end: day } }
const read = () => Effect.succeed(about)
const all = { runner: "here", only: null, types: ["backfill", "other"] }
const outcome = { ...nothingDone, rows: 12, rowsStored: 20, requests: 3 }
const done = { _tag: "done", outcome } as const
const failed = (retryAt: number | null) =>
  ({ _tag: "failed", outcome: nothingDone, error: "the vendor was away", retryAt }) as const
const reasonOf = <A, R>(effect: Effect.Effect<A, JobQueueError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const claimOne = (ledger: JobLedger["Service"], runner = "here") => ledger.claim({ ...all, runner }, read)
const keysOf = (jobs: ReadonlyArray<{ readonly job: Job }>) => jobs.map(({ job }) => job.key)

/** Each test builds `layer` afresh and expects it to be empty. */
export const jobLedgerContract = (name: string, layer: Layer.Layer<JobLedger, MarketStoreError>): void => {
  const test = <E>(title: string, body: (ledger: JobLedger["Service"]) => Effect.Effect<void, E>) =>
    it.effect(title, () => Effect.provide(Effect.flatMap(JobLedger, body), Layer.fresh(layer)))

  describe(`JobLedger contract (${name})`, () => {
    test("C78 a key that is queued or running is one job, and its payload the first one's", (ledger) =>
      Effect.gen(function* () {
        const first = yield* ledger.enqueue(spec("a", { payload: { n: 1 } }))
        assert.isTrue(first.created)
        const second = yield* ledger.enqueue(spec("a", { payload: { n: 2 } }), { again: true })
        assert.deepStrictEqual(second, { job: first.job, created: false })
        yield* claimOne(ledger)
        const third = yield* ledger.enqueue(spec("a"), { again: true })
        assert.strictEqual(third.job.id, first.job.id)
        assert.strictEqual(third.job.state, "running")
        assert.deepStrictEqual(third.job.payload, { n: 1 })
      }))

    test("what is up next is what would be claimed, else what is due first", (ledger) =>
      Effect.gen(function* () {
        const soon = { notBefore: 500 }
        yield* ledger.enqueue(spec("later", { priority: "high", notBefore: 900 }))
        yield* ledger.enqueue(spec("soon", soon))
        const first = yield* ledger.upNext(all)
        assert.strictEqual(first?.due, 500)
        yield* ledger.enqueue(spec("old", { priority: "low" }))
        yield* ledger.enqueue(spec("new", { priority: "low" }))
        const low = yield* ledger.upNext(all)
        yield* TestClock.adjust(1_000)
        const late = yield* ledger.upNext(all)
        assert.strictEqual(low?.due, 0)
        assert.strictEqual(late?.due, 900)
        assert.isAbove(late?.priority ?? 0, low?.priority ?? 0)
        assert.strictEqual((yield* claimOne(ledger))?.job.key, "later")
        assert.strictEqual((yield* claimOne(ledger))?.job.key, "soon")
        const old = yield* ledger.upNext(all)
        assert.deepStrictEqual(old, low)
        assert.strictEqual((yield* claimOne(ledger))?.job.key, "old")
        assert.isAbove((yield* ledger.upNext(all))?.seq ?? 0, old?.seq ?? 0)
      }))

    test("C78 many who enqueue one key at once are told of one job", (ledger) =>
      Effect.gen(function* () {
        const told = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => ledger.enqueue(spec("a"), { again: true }),
          {
            concurrency: "unbounded"
          }
        )
        assert.strictEqual(new Set(told.map(({ job }) => job.id)).size, 1)
        assert.strictEqual(told.filter(({ created }) => created).length, 1)
      }))

    test("C79 what has ended is found by its key, and begun anew only with again", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a"))
        yield* claimOne(ledger)
        yield* ledger.finish(job.id, 1, done)
        const found = yield* ledger.enqueue(spec("a"))
        assert.isFalse(found.created)
        assert.strictEqual(found.job.state, "completed")
        const again = yield* ledger.enqueue(spec("a"), { again: true })
        assert.isTrue(again.created)
        assert.notStrictEqual(again.job.id, job.id)
        assert.strictEqual((yield* ledger.list()).length, 2)
      }))

    test("C80 the next is the most urgent that is due, then the oldest", (ledger) =>
      Effect.gen(function* () {
        yield* ledger.enqueue(spec("low", { priority: "low" }))
        yield* ledger.enqueue(spec("first"))
        yield* ledger.enqueue(spec("second", { priority: "medium" }))
        yield* ledger.enqueue(spec("high", { priority: "high" }))
        yield* ledger.enqueue(spec("later", { priority: "urgent", notBefore: 5_000 }))
        yield* ledger.enqueue(spec("urgent", { priority: "urgent" }))
        const order: Array<string> = []
        for (let next = yield* claimOne(ledger); next !== null; next = yield* claimOne(ledger)) order.push(next.job.key)
        assert.deepStrictEqual(order, ["urgent", "high", "first", "second", "low"])
        assert.strictEqual((yield* ledger.upNext(all))?.due, 5_000)
        yield* TestClock.adjust(5_000)
        assert.strictEqual((yield* claimOne(ledger))?.job.key, "later")
        assert.isNull(yield* ledger.upNext(all))
      }))

    test("only those that are named are begun", (ledger) =>
      Effect.gen(function* () {
        yield* ledger.enqueue(spec("a", { priority: "urgent" }))
        const { job } = yield* ledger.enqueue(spec("b", { notBefore: 10 }))
        const only = { ...all, only: [job.id] }
        assert.strictEqual((yield* ledger.upNext(only))?.due, 10)
        assert.isNull(yield* ledger.claim(only, read))
        yield* TestClock.adjust(10)
        assert.strictEqual((yield* ledger.claim(only, read))?.job.key, "b")
        assert.isNull(yield* ledger.claim({ ...all, only: [] }, read))
        assert.isNull(yield* ledger.upNext({ ...all, only: [] }))
      }))

    test("those that nobody here can do wait for somebody who can", (ledger) =>
      Effect.gen(function* () {
        yield* ledger.enqueue(spec("a", { type: "other", priority: "urgent" }))
        yield* ledger.enqueue(spec("b", { notBefore: 7 }))
        const able = { ...all, types: ["backfill"] }
        assert.strictEqual((yield* ledger.upNext(able))?.due, 7)
        assert.isNull(yield* ledger.claim(able, read))
        yield* TestClock.adjust(7)
        assert.strictEqual((yield* ledger.claim(able, read))?.job.key, "b")
        assert.isNull(yield* ledger.claim(able, read))
        assert.isNull(yield* ledger.upNext({ ...all, types: [] }))
        assert.strictEqual((yield* claimOne(ledger))?.job.key, "a")
      }))

    test("no two begin one job", (ledger) =>
      Effect.gen(function* () {
        for (let n = 0; n < 10; n++) yield* ledger.enqueue(spec(`k${n}`))
        const claims = yield* Effect.forEach(Array.from({ length: 20 }), () => claimOne(ledger), {
          concurrency: "unbounded"
        })
        const keys = claims.flatMap((claimed) => (claimed === null ? [] : [claimed.job.key]))
        assert.strictEqual(keys.length, 10)
        assert.strictEqual(new Set(keys).size, 10)
      }))

    test("C81 an attempt says what it is about, how far it is, and what came of it", (ledger) =>
      Effect.gen(function* () {
        yield* TestClock.adjust(1_000)
        const { job } = yield* ledger.enqueue(spec("a"))
        const same = yield* ledger.enqueue(spec("b", { payload: { symbols: ["a"] } }))
        const claimed = yield* claimOne(ledger)
        assert.deepStrictEqual(claimed, {
          job: { ...job, state: "running", attempts: 1 },
          attempt: 1,
          resumed: false
        })
        yield* TestClock.adjust(500)
        assert.isFalse(yield* ledger.beat(job.id, 1, { done: 2, of: 5, rows: 10, requests: 2 }))
        const { run } = yield* ledger.get(job.id)
        assert.deepStrictEqual(run, {
          job: job.id,
          attempt: 1,
          status: "running",
          ...about,
          fingerprint: run?.fingerprint ?? "",
          progress: { done: 2, of: 5, rows: 10, requests: 2 },
          outcome: null,
          error: null,
          startedAt: 1_000,
          heartbeatAt: 1_500,
          completedAt: null
        })
        assert.match(run?.fingerprint ?? "", /^[0-9a-f]{16}$/)
        yield* TestClock.adjust(500)
        const ended = yield* ledger.finish(job.id, 1, done)
        assert.strictEqual(ended.state, "completed")
        assert.strictEqual(ended.finishedAt, 2_000)
        const [only, ...others] = yield* ledger.runs(job.id)
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual(only?.outcome, outcome)
        assert.strictEqual(only?.status, "success")
        assert.strictEqual(only?.completedAt, 2_000)
        // Equal work has equal fingerprints, whatever the key and the order of the payload's own keys.
        yield* claimOne(ledger)
        assert.strictEqual((yield* ledger.get(same.job.id)).run?.fingerprint, only?.fingerprint)
      }))

    test("C82 one that failed waits until it is tried again, and is a dead letter when it has had all its attempts", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a", { maxAttempts: 2 }))
        yield* claimOne(ledger)
        const waiting = yield* ledger.finish(job.id, 1, failed(3_000))
        assert.strictEqual(waiting.state, "queued")
        assert.strictEqual(waiting.notBefore, 3_000)
        assert.strictEqual(waiting.error, "the vendor was away")
        assert.isNull(yield* claimOne(ledger))
        yield* TestClock.adjust(3_000)
        assert.strictEqual((yield* claimOne(ledger))?.attempt, 2)
        const dead = yield* ledger.finish(job.id, 2, failed(9_000))
        assert.strictEqual(dead.state, "deadletter")
        assert.isNull(dead.notBefore)
        assert.deepStrictEqual(
          (yield* ledger.runs(job.id)).map(({ status }) => status),
          ["failure", "failure"]
        )
        const retried = yield* ledger.retry(job.id)
        assert.isTrue(retried.created)
        assert.deepStrictEqual(retried.job.payload, job.payload)
        assert.strictEqual(retried.job.attempts, 0)
        assert.strictEqual(yield* reasonOf(ledger.retry(retried.job.id)), "JobUnfinished")
      }))

    test("one that no attempt would help has failed at once", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a"))
        yield* claimOne(ledger)
        assert.strictEqual((yield* ledger.finish(job.id, 1, failed(null))).state, "failed")
      }))

    test("C83 what has ended stays as it is, whoever says otherwise", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a"))
        yield* claimOne(ledger)
        const ended = yield* ledger.finish(job.id, 1, done)
        assert.deepStrictEqual(yield* ledger.finish(job.id, 1, failed(null)), ended)
        assert.isTrue(yield* ledger.beat(job.id, 1, { done: 0, of: 0, rows: 0, requests: 0 }))
        assert.strictEqual(yield* reasonOf(ledger.cancel(job.id)), "JobFinished")
        const { job: found, run } = yield* ledger.get(job.id)
        assert.deepStrictEqual(found, ended)
        assert.strictEqual(run?.status, "success")
        assert.strictEqual(run?.progress.rows, outcome.rows)
      }))

    test("one that waits is cancelled at once, one that runs when its runner hears of it", (ledger) =>
      Effect.gen(function* () {
        const waiting = yield* ledger.enqueue(spec("a"))
        assert.strictEqual((yield* ledger.cancel(waiting.job.id)).state, "cancelled")
        assert.isNull(yield* claimOne(ledger))
        const { job } = yield* ledger.enqueue(spec("b"))
        yield* claimOne(ledger)
        const asked = yield* ledger.cancel(job.id)
        assert.strictEqual(asked.state, "running")
        assert.isTrue(asked.cancelling)
        assert.isTrue(yield* ledger.beat(job.id, 1, { done: 0, of: 0, rows: 0, requests: 0 }))
        assert.strictEqual((yield* ledger.finish(job.id, 1, { _tag: "cancelled", outcome })).state, "cancelled")
        assert.strictEqual((yield* ledger.get(job.id)).run?.status, "cancelled")
      }))

    test("what a runner had under way goes on in the attempt that it was in", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a"))
        const other = yield* ledger.enqueue(spec("b"))
        yield* claimOne(ledger)
        yield* claimOne(ledger)
        yield* ledger.cancel(other.job.id)
        assert.strictEqual(yield* ledger.suspend("here"), 2)
        const aside = yield* ledger.get(job.id)
        assert.strictEqual(aside.job.state, "queued")
        assert.strictEqual(aside.run?.status, "suspended")
        const ended = yield* ledger.get(other.job.id)
        assert.strictEqual(ended.job.state, "cancelled")
        assert.strictEqual(ended.run?.status, "cancelled")
        const claimed = yield* claimOne(ledger, "elsewhere")
        assert.strictEqual(claimed?.attempt, 1)
        assert.isTrue(claimed?.resumed)
        assert.strictEqual((yield* ledger.runs(job.id)).length, 1)
        yield* ledger.suspend("elsewhere")
        assert.strictEqual((yield* ledger.cancel(job.id)).state, "cancelled")
        assert.strictEqual((yield* ledger.get(job.id)).run?.status, "cancelled")
      }))

    test("stuck 15 means 15 minutes", (ledger) =>
      Effect.gen(function* () {
        const minutes = 60_000
        const { job } = yield* ledger.enqueue(spec("a"))
        yield* claimOne(ledger)
        yield* TestClock.adjust(10 * minutes)
        yield* ledger.beat(job.id, 1, { done: 0, of: 0, rows: 0, requests: 0 })
        yield* TestClock.adjust(15 * minutes)
        assert.deepStrictEqual(yield* ledger.stuck(15 * minutes), [])
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(keysOf(yield* ledger.stuck(15 * minutes)), ["a"])
        assert.deepStrictEqual(yield* ledger.stuck(16 * minutes), [])
        assert.deepStrictEqual(keysOf(yield* ledger.stuck(minutes)), ["a"])
      }))

    test("cleanup 90 keeps what is 2 days old", (ledger) =>
      Effect.gen(function* () {
        const old = yield* ledger.enqueue(spec("old"))
        const waiting = yield* ledger.enqueue(spec("waiting", { notBefore: 1_000 * day }))
        yield* claimOne(ledger)
        yield* ledger.finish(old.job.id, 1, done)
        yield* TestClock.adjust(2 * day)
        assert.strictEqual(yield* ledger.cleanup(2 * day - 90 * day), 0)
        assert.strictEqual((yield* ledger.get(old.job.id)).job.state, "completed")
        yield* TestClock.adjust(88 * day)
        assert.strictEqual(yield* ledger.cleanup(90 * day - 90 * day), 0)
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* ledger.cleanup(90 * day + 1 - 90 * day, { except: ["other", "backfill"] }), 0)
        assert.strictEqual(yield* ledger.cleanup(90 * day + 1 - 90 * day, { except: ["other"] }), 1)
        assert.strictEqual(yield* reasonOf(ledger.get(old.job.id)), "UnknownJob")
        assert.deepStrictEqual(yield* ledger.runs(old.job.id), [])
        assert.deepStrictEqual(keysOf(yield* ledger.list()), [waiting.job.key])
      }))

    test("a schedule queues its next job when one has ended, once for all that it missed, until it is cancelled", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("daily", { schedule: { cron: "0 6 * * *" } }))
        assert.strictEqual(job.notBefore, 6 * 3_600_000)
        yield* TestClock.adjust(6 * 3_600_000)
        yield* claimOne(ledger)
        // Three days away.
        yield* TestClock.adjust(3 * day)
        yield* ledger.finish(job.id, 1, failed(null))
        const [next, ...others] = yield* ledger.list({ states: ["queued"] })
        assert.deepStrictEqual(others, [])
        assert.strictEqual(next?.job.notBefore, 4 * day + 6 * 3_600_000)
        assert.strictEqual(next?.job.key, "daily")
        assert.isFalse((yield* ledger.enqueue(spec("daily"), { again: true })).created)
        yield* ledger.cancel(next?.job.id ?? "")
        assert.deepStrictEqual(yield* ledger.list({ states: ["queued"] }), [])
      }))

    test("a schedule goes by the clocks of its zone, and one that is none is refused", (ledger) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(Date.UTC(2024, 2, 8, 12))
        const { job } = yield* ledger.enqueue(
          spec("a", { schedule: { cron: "30 9 * * 1-5", zone: "America/New_York" } })
        )
        assert.strictEqual(job.notBefore, Date.UTC(2024, 2, 8, 14, 30))
        yield* TestClock.setTime(Date.UTC(2024, 2, 8, 14, 30))
        yield* claimOne(ledger)
        yield* ledger.finish(job.id, 1, done)
        // A Friday, and the Monday after clocks were put forward.
        assert.strictEqual(
          (yield* ledger.list({ states: ["queued"] }))[0]?.job.notBefore,
          Date.UTC(2024, 2, 11, 13, 30)
        )
        for (const schedule of [
          { cron: "every day" },
          { cron: "0 0 * * *", zone: "Mars/Olympus" },
          { cron: "0 0 30 2 *" }
        ]) {
          assert.strictEqual(yield* reasonOf(ledger.enqueue(spec("b", { schedule }))), "InvalidJob")
        }
        assert.strictEqual(yield* reasonOf(ledger.enqueue(spec("b", { payload: { n: Number.NaN } }))), "InvalidJob")
      }))

    test("jobs are found by the first letters of their id, and listed by what they are", (ledger) =>
      Effect.gen(function* () {
        const { job } = yield* ledger.enqueue(spec("a"))
        const gone = yield* ledger.enqueue(spec("b", { type: "other" }))
        yield* ledger.cancel(gone.job.id)
        assert.strictEqual((yield* ledger.get(job.id.slice(0, 9).toUpperCase())).job.key, "a")
        for (const wrong of ["", "abc", "zzzz", "%%%%", "00000000-0000-0000-0000-000000000000"]) {
          assert.strictEqual(yield* reasonOf(ledger.get(wrong)), "UnknownJob")
        }
        assert.deepStrictEqual(keysOf(yield* ledger.list()), ["b", "a"])
        assert.deepStrictEqual(keysOf(yield* ledger.list({ limit: 1 })), ["b"])
        assert.deepStrictEqual(keysOf(yield* ledger.list({ states: ["queued", "running"] })), ["a"])
        assert.deepStrictEqual(keysOf(yield* ledger.list({ type: "other" })), ["b"])
        assert.deepStrictEqual(keysOf(yield* ledger.list({ key: "a" })), ["a"])
        const strange = JobId.make("00000000-0000-0000-0000-000000000000")
        assert.deepStrictEqual(yield* ledger.alive([gone.job.id, strange, job.id]), [job.id])
      }))
  })
}
