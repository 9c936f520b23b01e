/** One segment is written while the rows of the next are made ready: what that must not change. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Latch, Stream } from "effect"
import type { RecordSeries } from "../../../src/domain/records/RecordKind.ts"
import { importText } from "../../../src/layers/imports/importText.ts"
import { segmentBytes } from "../../../src/layers/imports/SegmentCutter.ts"
import { type ImportSegment, Imports } from "../../../src/services/Imports.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { everything } from "../../services/market/commits.ts"
import { recordSeries } from "../../services/records/commits.ts"
import { fresh, specOf } from "./support.ts"

const series: RecordSeries<"trade"> = { ...recordSeries("trade"), vendor: "acme" }
const line = (index: number) =>
  `{"ts":"${new Date(1_700_000_000_000 + index).toISOString()}","price":1,"size":2,"venue":"X","sequence":${index}}\n`
/** Lines of about four segments; one of them may be another text. */
const lines = Math.ceil((3.5 * segmentBytes) / line(0).length)
const textOf = (bad: number | null = null) =>
  new TextEncoder().encode(Array.from({ length: lines }, (_, index) => (index === bad ? "{}\n" : line(index))).join(""))

/** The real importer, and what happened to its segments, by their numbers. */
const watched = (hold: (number: number) => Effect.Effect<unknown> = () => Effect.void) =>
  Effect.map(Imports, (imports) => {
    const events: Array<string> = []
    let count = 0
    const segment: typeof imports.segment = (session, spec, given: ImportSegment, turn = Effect.void) =>
      Effect.suspend(() => {
        const number = ++count
        events.push(`begun ${number}`)
        const mine = Effect.andThen(
          turn,
          Effect.sync(() => void events.push(`turn ${number}`))
        )
        return Effect.tap(imports.segment(session, spec, given, mine), () => hold(number))
      })
    return { events, imports: { ...imports, segment } }
  })

describe("importText", () => {
  it.effect(
    "begins with a segment before the one before it is done, writes none before that was told, and has two at most",
    () =>
      Effect.gen(function* () {
        const { events, imports } = yield* watched()
        const tally = yield* importText({
          imports,
          spec: specOf(),
          text: Stream.make(textOf()),
          progress: ({ segments }) =>
            Effect.andThen(
              Effect.yieldNow,
              Effect.sync(() => events.push(`told ${segments}`))
            )
        })
        assert.deepInclude(tally, { rows: lines, inserted: lines, segments: 4, rejected: 0 })
        assert.deepStrictEqual(
          events.filter((event) => !event.startsWith("begun")),
          [1, 2, 3, 4].flatMap((number) => [`turn ${number}`, `told ${number}`])
        )
        for (const number of [2, 3, 4]) {
          assert.isBelow(events.indexOf(`begun ${number}`), events.indexOf(`told ${number - 1}`))
          if (number > 2) assert.isAbove(events.indexOf(`begun ${number}`), events.indexOf(`told ${number - 2}`))
        }
      }).pipe(Effect.provide(fresh))
  )

  it.effect("what breaks off keeps the segments before, and leaves nothing of those behind", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const told: Array<number> = []
      const failing = (options: { readonly bad: number | null; readonly stopAt: number | null }) =>
        Effect.gen(function* () {
          const { events, imports } = yield* watched()
          const exit = yield* Effect.exit(
            importText({
              imports,
              spec: specOf({ rejects: "fail" }),
              text: Stream.make(textOf(options.bad)),
              progress: ({ rows, segments }) => {
                told.push(rows)
                return segments === options.stopAt ? Effect.fail("enough") : Effect.void
              }
            })
          )
          return { events, exit }
        })
      // In the third, whose rows are looked at while the second is written.
      const perSegment = Math.floor(segmentBytes / line(0).length)
      const refused = yield* failing({ bad: perSegment * 2 + 10, stopAt: null })
      assert.isTrue(Exit.isFailure(refused.exit))
      assert.include(JSON.stringify(refused.exit), "RowRefused")
      assert.notInclude(refused.events, "turn 3")
      assert.strictEqual(yield* store.count(series, everything), told.at(-1))
      assert.strictEqual(told.length, 2)

      const stopped = yield* failing({ bad: null, stopAt: 3 })
      assert.include(JSON.stringify(stopped.exit), "enough")
      assert.include(stopped.events, "begun 4")
      assert.notInclude(stopped.events, "turn 4")
      assert.strictEqual(yield* store.count(series, everything), told.at(-1))
    }).pipe(Effect.provide(fresh))
  )

  it.effect("a text that breaks off is told when what was on its way is done", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const { imports } = yield* watched()
      const text = Stream.concat(Stream.make(textOf().subarray(0, 2 * segmentBytes)), Stream.fail("torn"))
      let rows = 0
      const error = yield* Effect.flip(
        importText({
          imports,
          spec: specOf(),
          text,
          progress: (tally) =>
            Effect.sync(() => {
              rows = tally.rows
            })
        })
      )
      assert.strictEqual(error, "torn")
      assert.isAbove(rows, 0)
      assert.strictEqual(yield* store.count(series, everything), rows)
    }).pipe(Effect.provide(fresh))
  )

  it.effect("interrupted, it leaves nobody at work", () =>
    Effect.gen(function* () {
      const store = yield* RecordStore
      const reached = yield* Latch.make()
      const { events, imports } = yield* watched((number) =>
        number === 2 ? Effect.andThen(reached.open, Effect.never) : Effect.void
      )
      const fiber = yield* Effect.forkChild(
        importText({ imports, spec: specOf(), text: Stream.make(textOf()), progress: () => Effect.void })
      )
      yield* reached.await
      yield* Fiber.interrupt(fiber)
      const there = yield* store.count(series, everything)
      yield* Effect.yieldNow
      assert.strictEqual(yield* store.count(series, everything), there)
      assert.notInclude(events, "turn 3")
    }).pipe(Effect.provide(fresh))
  )
})
