/** Batches over the real archive and store. Titles begin with the rows of the capability list that they show. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, References, Scope, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"
import { BatchProcessor, type BatchRow } from "../../../src/services/BatchProcessor.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { collect, everything } from "../../services/market/commits.ts"
import { recordSeries, samples, signal } from "../../services/records/commits.ts"
import { deadLettersOf, row, StoreSwitch, series, withProcessor } from "./support.ts"

const stored = Effect.gen(function* () {
  return yield* (yield* RecordStore).count(series, everything)
})

const indices = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

/** Lets everything run that can without the clock: real disks answer in their own time. */
const settled = (holds: Effect.Effect<boolean, unknown, RecordStore>) =>
  Effect.gen(function* () {
    for (let turn = 0; turn < 2_000; turn++) {
      if (yield* holds) return
      yield* realMilli
    }
    assert.fail("did not happen")
  })

const realMilli = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))

/** A minute second by second, with real time in between for what real disks do. */
const aMinute = Effect.gen(function* () {
  for (let second = 0; second < 60; second++) {
    yield* TestClock.adjust("1 second")
    yield* realMilli
  }
})

/** Second by second until it has ended. */
const inTime = Effect.fnUntraced(function* <A, E>(fiber: Fiber.Fiber<A, E>) {
  for (let second = 0; second < 2_000 && fiber.pollUnsafe() === undefined; second++) {
    yield* TestClock.adjust("1 second")
    yield* realMilli
  }
  return yield* Fiber.join(fiber)
})

const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: { readonly _tag: string } }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

describe("BatchProcessor", () => {
  it.effect("68: submit completes when its row is committed, without waiting for a timer; many share a commit", () =>
    withProcessor({}, (layer) =>
      Effect.gen(function* () {
        const { stats, submit } = yield* BatchProcessor
        yield* submit(row(0))
        assert.strictEqual(yield* stored, 1)
        yield* Effect.forEach(indices(1, 501), (index) => submit(row(index)), { concurrency: "unbounded" })
        assert.strictEqual(yield* stored, 501)
        const [of] = yield* stats
        assert.deepInclude(of, { kind: "signal", committed: 501, buffered: 0, inFlight: 0, breaker: "closed" })
        assert.isBelow(of?.flushes ?? 0, 20, "one commit for many")
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("68: offered rows are flushed by age, by count, by bytes, and by flush", () =>
    withProcessor({ maxRows: 10, maxBytes: 1_300, maxAge: "1 second" }, (layer) =>
      Effect.gen(function* () {
        const { flush, offer, stats } = yield* BatchProcessor
        const { asked } = yield* StoreSwitch
        yield* offer(row(0))
        yield* TestClock.adjust("999 millis")
        assert.deepStrictEqual(asked, [])
        yield* TestClock.adjust("1 millis")
        yield* settled(Effect.sync(() => asked.length === 1))
        yield* Effect.forEach(indices(1, 11), (index) => offer(row(index)))
        yield* settled(Effect.sync(() => asked.length === 2))
        assert.deepStrictEqual(asked, [1, 10])
        const long = (index: number): BatchRow => ({ series, row: signal(index, "é".repeat(300), 1) })
        yield* offer(long(11))
        yield* offer(long(12))
        yield* settled(Effect.sync(() => asked.length === 3))
        assert.strictEqual(asked[2], 1, "two of them are more than 1,300 bytes in UTF-8")
        yield* flush
        assert.strictEqual(yield* stored, 13)
        assert.deepInclude((yield* stats)[0], { committed: 13, buffered: 0 })
        yield* flush
        assert.strictEqual(asked.length, 4, "nothing is flushed where nothing is")
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("48, X1: what is written twice changes nothing, and each row can be traced to an archived batch", () =>
    withProcessor({}, (layer) =>
      Effect.gen(function* () {
        const { stats, submit } = yield* BatchProcessor
        yield* submit(row(1))
        yield* submit(row(1))
        assert.deepInclude((yield* stats)[0], { committed: 2, unchanged: 1 })
        const [found] = yield* collect((yield* RecordStore).storedRows(series, everything))
        const archive = yield* ProvenanceStore
        const response = yield* archive.response(found?.lineage.response ?? 0)
        const text = Buffer.from(yield* archive.payload(response.sha256 ?? "")).toString()
        assert.deepInclude(JSON.parse(text), { vendor: "acme", symbol: "SPY", name: "a", value: 1 })
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("54: a row that cannot be is refused at the door, with its field", () =>
    withProcessor({}, (layer) =>
      Effect.gen(function* () {
        const { offer } = yield* BatchProcessor
        const error = yield* Effect.flip(offer({ series, row: signal(1, "a", Number.NaN) }))
        assert.deepInclude(error, { _tag: "BatchError", message: "value is not a finite number: NaN" })
        const other = { ...series, kind: "trade" } as const
        assert.strictEqual(yield* reasonOf(offer({ series: other, row: signal(1, "a", 1) })), "BatchRowRefused")
        const shouted = { ...series, vendor: "ACME" }
        assert.strictEqual(yield* reasonOf(offer({ series: shouted, row: signal(1, "a", 1) })), "BatchRowRefused")
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("86: a full buffer suspends its producers in order, and one that leaves makes no gap", () =>
    withProcessor({ capacity: 3, maxAge: "1 hour", maxRows: 3 }, (layer) =>
      Effect.gen(function* () {
        const { offer, stats } = yield* BatchProcessor
        const at = yield* StoreSwitch
        at.away = true
        for (const index of indices(0, 3)) yield* offer(row(index))
        const waiting = yield* Effect.forEach(indices(3, 6), (index) =>
          Effect.forkChild(offer(row(index)), { startImmediately: true })
        )
        const [, second] = waiting
        if (second !== undefined) yield* Fiber.interrupt(second)
        yield* settled(Effect.map(stats, ([of]) => of?.inFlight === 3 && of.buffered === 0))
        at.away = false
        const [first, , third] = waiting
        if (first !== undefined) yield* inTime(first)
        if (third !== undefined) yield* inTime(third)
        assert.strictEqual(yield* stored, 3)
        yield* (yield* BatchProcessor).flush
        assert.deepStrictEqual(
          (yield* collect((yield* RecordStore).rows(series, everything))).map(({ ts }) => ts),
          [0, 1, 2, 3, 5]
        )
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("86: a full buffer drops its oldest and tells the submitter, or fails the newcomer", () =>
    Effect.gen(function* () {
      yield* withProcessor({ capacity: 2, maxAge: "1 hour", overflow: "fail" }, (layer) =>
        Effect.gen(function* () {
          const { offer } = yield* BatchProcessor
          yield* offer(row(0))
          yield* offer(row(1))
          assert.strictEqual(yield* reasonOf(offer(row(2))), "BufferFull")
        }).pipe(Effect.provide(layer))
      )
      yield* withProcessor({ capacity: 2, maxAge: "1 hour", overflow: "dropOldest" }, (layer) =>
        Effect.gen(function* () {
          const { flush, offer, stats } = yield* BatchProcessor
          for (const index of indices(0, 5)) yield* offer(row(index))
          assert.deepInclude((yield* stats)[0], { buffered: 2, droppedOldest: 3 })
          yield* flush
          assert.deepStrictEqual(
            (yield* collect((yield* RecordStore).rows(series, everything))).map(({ ts }) => ts),
            [3, 4]
          )
        }).pipe(Effect.provide(layer))
      )
    })
  )

  it.effect("68, 86: a flush waits for what is under way, also when rows behind it are dropped meanwhile", () =>
    withProcessor({ capacity: 3, maxAge: "1 hour", maxRows: 1, overflow: "dropOldest" }, (layer) =>
      Effect.gen(function* () {
        const { flush, offer, stats } = yield* BatchProcessor
        const at = yield* StoreSwitch
        at.away = true
        for (const index of indices(0, 3)) yield* offer(row(index))
        yield* settled(Effect.map(stats, ([of]) => of?.inFlight === 1))
        const flushing = yield* Effect.forkChild(flush, { startImmediately: true })
        for (const index of indices(3, 9)) yield* offer(row(index))
        assert.strictEqual((yield* stats)[0]?.droppedOldest, 6)
        yield* Effect.yieldNow
        assert.isUndefined(flushing.pollUnsafe(), "row 0 is not committed")
        at.away = false
        yield* inTime(flushing)
        assert.isAtLeast(yield* stored, 1)
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("86, 90: watermarks tell once on the way up and once on the way down", () =>
    withProcessor({ capacity: 10, maxAge: "1 hour", maxRows: 4, highWatermark: 0.8, lowWatermark: 0.5 }, (layer) =>
      Effect.gen(function* () {
        const { feedback, flush, offer } = yield* BatchProcessor
        const at = yield* StoreSwitch
        at.away = true
        const events: Array<string> = []
        yield* Effect.forkChild(
          Stream.runForEach(feedback, ({ coordinator_id, level, queue_size, reason }) =>
            Effect.sync(() => events.push(`${coordinator_id} ${level} ${reason} ${queue_size}`))
          ),
          { startImmediately: true }
        )
        for (const index of indices(0, 10)) yield* offer(row(index))
        at.away = false
        const flushing = yield* Effect.forkChild(flush, { startImmediately: true })
        yield* inTime(flushing)
        assert.strictEqual(yield* stored, 10)
        yield* settled(Effect.sync(() => events.length >= 3))
        assert.deepStrictEqual(events, [
          "batch:signal soft filling 6",
          "batch:signal hard high_watermark 8",
          "batch:signal ok queue_recovered 2"
        ])
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect("69, 88: a store that is away for a minute costs no row; a breaker lets one probe through", () =>
    withProcessor({ capacity: 1_000, maxRows: 100 }, (layer) =>
      Effect.gen(function* () {
        const { stats, submit } = yield* BatchProcessor
        const at = yield* StoreSwitch
        at.away = true
        const submitted = yield* Effect.forkChild(
          Effect.forEach(indices(0, 1_500), (index) => submit(row(index)), { concurrency: "unbounded", discard: true }),
          { startImmediately: true }
        )
        yield* aMinute
        const [during] = yield* stats
        assert.deepInclude(during, { committed: 0, deadLettered: 0 })
        assert.strictEqual((during?.inFlight ?? 0) + (during?.buffered ?? 0), 1_000, "as many as may be held")
        assert.notStrictEqual(during?.breaker, "closed")
        assert.isBelow(at.asked.length, 60, "a minute at full speed would be thousands")
        at.away = false
        yield* inTime(submitted)
        assert.strictEqual(yield* stored, 1_500)
        assert.deepInclude((yield* stats)[0], { committed: 1_500, breaker: "closed", buffered: 0 })
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect(
    "69, 89: rows that the store refuses end in the dead-letter file, each with its reason, and all others are committed",
    () =>
      withProcessor({ maxRows: 64, maxAge: "1 hour" }, (layer, file) =>
        Effect.gen(function* () {
          const { stats, submit } = yield* BatchProcessor
          const at = yield* StoreSwitch
          at.poison = "bad"
          const name = (index: number) => (index % 20 === 7 ? "bad" : "a")
          const exits = yield* Effect.forEach(indices(0, 64), (index) => Effect.exit(submit(row(index, name(index)))), {
            concurrency: "unbounded"
          })
          assert.deepStrictEqual(
            exits.flatMap((exit, index) => (Exit.isFailure(exit) ? [index] : [])),
            [7, 27, 47]
          )
          assert.strictEqual(yield* stored, 61)
          assert.deepInclude((yield* stats)[0], { committed: 61, deadLettered: 3 })
          const letters = deadLettersOf(file)
          assert.deepStrictEqual(
            letters.map(({ kind, reason, row: of }) => [kind, reason, of]),
            [7, 27, 47].map((index) => [
              "signal",
              "row 0: bad violates a rule of the database",
              {
                vendor: "acme",
                symbol: "SPY",
                ts: new Date(index).toISOString(),
                name: "bad",
                value: index,
                score: null,
                metadata: null
              }
            ])
          )
        }).pipe(Effect.provide(layer))
      )
  )

  it.effect("87: closing commits what is held and takes nothing more", () =>
    withProcessor({ maxAge: "1 hour" }, (layer) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(layer, scope)
        const { offer } = yield* Effect.provide(BatchProcessor, context)
        for (const index of indices(0, 500)) yield* offer(row(index))
        assert.strictEqual(yield* stored, 0)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* stored, 500)
        assert.strictEqual(yield* reasonOf(offer(row(501))), "ProcessorClosed")
        const trade: BatchRow = { series: { ...recordSeries("trade"), vendor: "acme" }, row: samples.trade[0] }
        assert.strictEqual(
          yield* reasonOf(offer(trade)),
          "ProcessorClosed",
          "of a kind that it has had no rows of, too"
        )
        const [session] = yield* (yield* ProvenanceStore).sessions({ limit: 1 })
        assert.deepInclude(session, { source: "import", outcome: "ok" })
      })
    )
  )

  it.effect(
    "70, 87: what cannot be committed before the deadline is in the dead-letter file, and its submitters are told",
    () =>
      withProcessor({ maxAge: "1 hour", maxRows: 4, drain: "5 seconds" }, (layer, file) =>
        Effect.gen(function* () {
          const at = yield* StoreSwitch
          at.away = true
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(layer, scope)
          const { offer, submit } = yield* Effect.provide(BatchProcessor, context)
          for (const index of indices(0, 10)) yield* offer(row(index))
          const submitted = yield* Effect.forkChild(reasonOf(submit(row(10))), { startImmediately: true })
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
          yield* TestClock.adjust("5 seconds")
          yield* Fiber.join(closing)
          assert.strictEqual(yield* Fiber.join(submitted), "ProcessorClosed")
          const letters = deadLettersOf(file)
          assert.deepStrictEqual(
            letters.map(({ row: of }) => Reflect.get(Object(of), "value")),
            indices(0, 11)
          )
          assert.strictEqual(letters[0]?.reason, "the processor was closed before it could be committed")
        })
      )
  )

  it.effect("86: who listens is told of each row that had to go", () =>
    withProcessor({ capacity: 2, maxAge: "1 hour", overflow: "dropOldest" }, (layer) =>
      Effect.gen(function* () {
        const { dropped, offer } = yield* BatchProcessor
        const gone: Array<BatchRow> = []
        yield* Effect.forkChild(
          Stream.runForEach(dropped, (of) => Effect.sync(() => gone.push(of))),
          { startImmediately: true }
        )
        for (const index of indices(0, 5)) yield* offer(row(index))
        yield* settled(Effect.sync(() => gone.length === 3))
        assert.deepStrictEqual(
          gone,
          indices(0, 3).map((index) => row(index))
        )
      }).pipe(Effect.provide(layer))
    )
  )

  it.effect(
    "69, 87: a mistake of ours kills no flusher: its rows are dead letters, and the next ones are committed",
    () =>
      withProcessor({ maxAge: "1 hour", maxRows: 8 }, (layer, file) =>
        Effect.gen(function* () {
          const { offer, stats, submit } = yield* BatchProcessor
          const at = yield* StoreSwitch
          at.before = Effect.die(new Error("a bug"))
          for (const index of indices(0, 7)) yield* offer(row(index))
          const failed = yield* Effect.flip(submit(row(7)))
          assert.strictEqual(failed.reason._tag, "RowPoisoned")
          assert.notInclude(failed.message, "a bug")
          const letters = deadLettersOf(file)
          assert.strictEqual(letters.length, 8)
          assert.strictEqual(letters[0]?.reason, "internal error; the log of its time says which")
          at.before = Effect.void
          yield* submit(row(8))
          assert.deepInclude((yield* stats)[0], { committed: 1, deadLettered: 8, breaker: "closed" })
        }).pipe(Effect.provide(layer), Effect.provideService(References.MinimumLogLevel, "None"))
      )
  )

  for (const [what, exit, afterFailure, committed] of [
    ["a failure, where that is asked for, leaves them to the dead letters", Exit.fail("x"), "deadLetters", 0],
    ["a failure commits them unless that is asked for", Exit.fail("x"), "commit", 5],
    ["an interruption commits them in any case", Exit.interrupt(1), "deadLetters", 5]
  ] as const) {
    it.effect(`70: rows are held when the scope closes: ${what}`, () =>
      withProcessor({ maxAge: "1 hour", afterFailure }, (layer, file) =>
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(layer, scope)
          const { offer } = yield* Effect.provide(BatchProcessor, context)
          for (const index of indices(0, 5)) yield* offer(row(index))
          yield* Scope.close(scope, exit)
          assert.strictEqual(yield* stored, committed)
          const letters = committed === 0 ? deadLettersOf(file) : []
          assert.strictEqual(letters.length + committed, 5)
          assert.isTrue(letters.every(({ reason }) => reason === "what it was written by had failed"))
        })
      )
    )
  }

  it.effect("122: what it takes, drops, commits and gives up is counted under the names of what it replaces", () =>
    withProcessor({ name: "counted", capacity: 4, maxAge: "1 hour", overflow: "fail" }, (layer) =>
      Effect.gen(function* () {
        const { flush, offer } = yield* BatchProcessor
        const at = yield* StoreSwitch
        const coordinator = "counted:signal"
        for (const index of indices(0, 4)) yield* offer(row(index))
        yield* Effect.flip(offer(row(4)))
        const shown = yield* PrometheusMetrics.format()
        const says = (line: string) => assert.include(`\n${shown}`, `\n${line}\n`)
        says(`mds_coord_items_submitted_total{coord_id="${coordinator}"} 4`)
        says(`mds_coord_items_dropped_total{coord_id="${coordinator}",reason="queue_full"} 1`)
        says(`mds_coord_queue_depth{coord_id="${coordinator}"} 4`)
        says(`mds_coord_workers_alive{coord_id="${coordinator}"} 1`)
        yield* flush
        at.poison = "bad"
        yield* offer(row(5, "bad"))
        yield* flush
        // A batch is timed to its very end, which is after those who flush are told.
        const timed = `mds_worker_write_latency_seconds_count{coord_id="${coordinator}"} 2\n`
        yield* settled(Effect.map(PrometheusMetrics.format(), (text) => text.includes(timed)))
        const after = yield* PrometheusMetrics.format()
        const then = (line: string) => assert.include(`\n${after}`, `\n${line}\n`)
        then(`mds_coord_queue_depth{coord_id="${coordinator}"} 0`)
        then(`mds_worker_batches_written_total{coord_id="${coordinator}"} 1`)
        then(`mds_worker_write_errors_total{coord_id="${coordinator}",error_type="InvalidRow"} 1`)
        then('mds_coord_circuit_state{coord_id="counted"} 0')
        assert.match(after, /^sink_writes_total\{sink="signal",status="success"\} \d+$/m)
        assert.match(after, /^sink_writes_total\{sink="signal",status="failure"\} \d+$/m)
        assert.match(after, /^sink_write_latency_seconds_count\{sink="signal"\} \d+$/m)
      }).pipe(Effect.provide(layer))
    )
  )
})
