/** How much goes into a message, and what a reader that takes its time holds up or holds in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Ref, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import type { VerifyEvent } from "../../../src/rpc/contract/ArchiveRpcs.ts"
import { TooBusy } from "../../../src/rpc/contract/Border.ts"
import type { ReadEvent } from "../../../src/rpc/contract/RangeReport.ts"
import { chunked } from "../../../src/rpc/handlers/chunked.ts"
import { listed } from "../../../src/rpc/handlers/listed.ts"
import * as payloadPieces from "../../../src/rpc/handlers/payloadPieces.ts"
import { readEvents } from "../../../src/rpc/handlers/readEvents.ts"
import { verifyEvents } from "../../../src/rpc/handlers/verifyEvents.ts"
import type { Damage, Page } from "../../../src/services/ProvenanceStore.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { client } from "./inMemory.ts"
import { between, seriesOf, layer as world } from "./world.ts"

const sizes = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Stream.runCollect(Stream.map(Stream.chunks(stream), (chunk) => chunk.length))

describe("rows", () => {
  it.live("come in a first chunk of 1,000 and then of 4,000", () =>
    Effect.gen(function* () {
      const range = between("2024-03-04", "2024-03-08")
      const series = seriesOf("ALPHA", "1m")
      const { bars } = yield* (yield* StitchingCache).read({ series, range })
      assert.deepStrictEqual(yield* sizes(bars), [1_000, 4_000, 760])
      const { "Series.bars": remote } = yield* TapestryClient
      assert.deepStrictEqual(yield* sizes(remote({ series, range }, { streamBufferSize: 4_000 })), [1_000, 4_000, 760])
    }).pipe(Effect.provide(Layer.provideMerge(client, world())), Effect.scoped)
  )

  it.effect("at hand as a whole go out by the thousand", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* sizes(chunked(Effect.succeed(Array.from({ length: 2_001 }, String)))),
        [1_000, 1_000, 1]
      )
      assert.deepStrictEqual(yield* sizes(chunked(Effect.succeed([]))), [])
    })
  )
})

describe("listings", () => {
  /** Records 2,500 to 1, and the pages that were read. */
  const archive = () => {
    const pages: Array<Page> = []
    const page = (asked: Page) =>
      Effect.sync(() => {
        pages.push(asked)
        const from = (asked.before ?? 2_501) - 1
        return Array.from({ length: Math.max(0, Math.min(asked.limit, from)) }, (_, index) => ({ id: from - index }))
      })
    return { pages, page }
  }

  it.effect("read a page only when the one before it was taken", () =>
    Effect.gen(function* () {
      const { page, pages } = archive()
      const records = yield* Stream.runCollect(listed({}, page))
      assert.deepStrictEqual(
        records.map(({ id }) => id),
        Array.from({ length: 2_500 }, (_, index) => 2_500 - index)
      )
      assert.deepStrictEqual(pages, [{ limit: 1_000 }, { limit: 1_000, before: 1_501 }, { limit: 1_000, before: 501 }])
      pages.length = 0
      yield* Stream.runDrain(Stream.take(listed({}, page), 10))
      assert.strictEqual(pages.length, 1)
    })
  )

  it.effect("end with their limit, and begin below `before`", () =>
    Effect.gen(function* () {
      const { page, pages } = archive()
      assert.deepStrictEqual(yield* sizes(listed({ limit: 1_500, before: 2_000 }, page)), [1_000, 500])
      assert.deepStrictEqual(pages, [
        { limit: 1_000, before: 2_000 },
        { limit: 500, before: 1_000 }
      ])
      assert.deepStrictEqual(yield* sizes(listed({ limit: 0 }, page)), [])
      assert.deepStrictEqual(yield* sizes(listed({ limit: -1 }, page)), [])
      assert.deepStrictEqual(yield* sizes(listed({ limit: 9_000 }, page)), [1_000, 1_000, 500])
    })
  )
})

describe("progress of a read", () => {
  it.live("of which a slow reader misses the oldest, and never the answer", () =>
    Effect.gen(function* () {
      const { bars: _, ...report } = yield* (yield* StitchingCache).read({
        series: seriesOf("ALPHA", "1h"),
        range: between("2024-03-04", "2024-03-05")
      })
      const finished = yield* Deferred.make<void>()
      const events = yield* readEvents((progress) =>
        Effect.gen(function* () {
          for (let done = 1; done <= 10_000; done++) yield* progress({ done, of: 10_000, rows: done })
          yield* Deferred.succeed(finished, undefined)
          return { ...report, bars: Stream.empty }
        })
      ).pipe(
        Stream.tap(() => Deferred.await(finished)),
        Stream.runCollect
      )
      assert.isAtMost(events.length, 64)
      const last: ReadEvent | undefined = events.at(-1)
      assert.deepStrictEqual(last, { _tag: "Answered", report })
      assert.deepStrictEqual(events.at(-2), { _tag: "Progress", done: 10_000, of: 10_000, rows: 10_000 })
    }).pipe(Effect.provide(Layer.provideMerge(client, world())), Effect.scoped)
  )
})

describe("payloads", () => {
  it.effect("go out in pieces of 64 KiB that are views of the bytes", () =>
    Effect.gen(function* () {
      const inPieces = yield* payloadPieces.make
      const payload = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251)
      const pieces = yield* Stream.runCollect(inPieces(Effect.succeed(payload)))
      assert.deepStrictEqual(
        pieces.map((piece) => piece.length),
        [65_536, 65_536, 65_536, 65_536, 37_856]
      )
      assert.isTrue(pieces.every((piece) => piece.buffer === payload.buffer))
      assert.isTrue(Buffer.concat(pieces).equals(payload))
      assert.deepStrictEqual(yield* Stream.runCollect(inPieces(Effect.succeed(new Uint8Array(0)))), [])
    })
  )

  /** A reader of the one piece after the other, as it is let; and what became of it. */
  const readers = Effect.gen(function* () {
    const inPieces = yield* payloadPieces.make
    const reads = yield* Ref.make(0)
    /** Takes a chunk every `pace`. */
    const reader = (bytes: number, pace: Duration.Input) =>
      inPieces(
        Effect.as(
          Ref.update(reads, (count) => count + 1),
          new Uint8Array(bytes)
        )
      ).pipe(
        Stream.chunks,
        Stream.mapEffect((chunk) => Effect.delay(Effect.succeed(chunk), pace)),
        Stream.runFold(
          () => 0,
          (sum, chunk) => sum + chunk.reduce((length, piece) => length + piece.length, 0)
        ),
        Effect.forkChild({ startImmediately: true })
      )
    return { reads: Ref.get(reads), reader }
  })
  const never = Duration.infinity
  const tooBusy = new TooBusy({ limit: "streams", max: 4 })

  it.effect("of which four large ones are held, whose readers may take their time while nobody waits", () =>
    Effect.gen(function* () {
      const { reader, reads } = yield* readers
      const slow = yield* Effect.forEach([1, 2, 3, 4], () => reader(1_000_000, "1 hour"))
      yield* TestClock.adjust("4 hours")
      assert.deepStrictEqual(yield* Effect.forEach(slow, Fiber.join), [1_000_000, 1_000_000, 1_000_000, 1_000_000])
      assert.strictEqual(yield* reads, 4)
    })
  )

  it.effect("of which those give way whose readers take nothing for five seconds while others wait", () =>
    Effect.gen(function* () {
      const { reader, reads } = yield* readers
      const slow = yield* Effect.forEach([1, 2, 3, 4], () => reader(1_000_000, "10 seconds"))
      yield* TestClock.adjust("4 seconds")
      const others = yield* Effect.forEach([1, 2], () => reader(1_000_000, "1 millis"))
      yield* TestClock.adjust("900 millis")
      assert.strictEqual(yield* reads, 4)
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual(yield* Effect.forEach(others, Fiber.join), [1_000_000, 1_000_000])
      yield* TestClock.adjust("1 minute")
      const ends = yield* Effect.forEach(slow, (fiber) => Effect.result(Fiber.join(fiber)))
      assert.isAtLeast(ends.filter(Result.isSuccess).length, 2, "no more gave way than had to")
      assert.deepStrictEqual(
        ends.filter(Result.isFailure).map(({ failure }) => failure),
        [tooBusy, tooBusy]
      )
    })
  )

  it.effect("of which one that waits half a minute behind readers who take theirs just in time is told TooBusy", () =>
    Effect.gen(function* () {
      const { reader } = yield* readers
      yield* Effect.forEach([1, 2, 3, 4], () => reader(10_000_000, "4 seconds"))
      yield* TestClock.adjust("1 second")
      const waiting = yield* reader(1_000_000, 0)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(yield* Effect.flip(Fiber.join(waiting)), tooBusy)
    })
  )

  it.effect("of which one that leaves, waiting or reading, gives its place back; small ones hold none", () =>
    Effect.gen(function* () {
      const { reader, reads } = yield* readers
      const all = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => reader(1_000_000, never))
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* reads, 4)
      const [first, , , , fifth] = all
      // One that waits leaves, and one that reads: the last gets the place.
      if (fifth !== undefined) yield* Fiber.interrupt(fifth)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* reads, 4)
      if (first !== undefined) yield* Fiber.interrupt(first)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* reads, 5)
      yield* Effect.forEach(all, Fiber.interrupt)
      yield* Effect.forEach(Array.from({ length: 50 }), () => reader(4 * 65_536, never))
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* reads, 55, "what fits into one chunk holds no place")
    })
  )
})

describe("verification", () => {
  const damage: Damage = { sha256: "ab".repeat(32), problem: "torn", where: "there", responses: [] }

  it.effect("tells of progress every thousand payloads or every second, of damage, and of its end", () =>
    Effect.gen(function* () {
      const verify = (progress: (checked: number) => Effect.Effect<void>) =>
        Stream.range(1, 100).pipe(
          Stream.mapEffect((page) => Effect.as(progress(page * 32), page)),
          Stream.tap((page) => (page === 90 ? Effect.sleep("2 seconds") : Effect.void)),
          Stream.filter((page) => page === 50),
          Stream.map(() => damage)
        )
      const reader = yield* Effect.forkChild(Stream.runCollect(verifyEvents(verify)), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      const expected: ReadonlyArray<VerifyEvent> = [
        { _tag: "Progress", checked: 1_024 },
        { _tag: "Damaged", damage },
        { _tag: "Progress", checked: 2_048 },
        { _tag: "Progress", checked: 2_912 },
        { _tag: "Verified", checked: 3_200, damaged: 1 }
      ]
      assert.deepStrictEqual(yield* Fiber.join(reader), expected)
    })
  )
})
