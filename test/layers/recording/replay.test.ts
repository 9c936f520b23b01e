/** What was recorded live, told again: through the same service, to the same consumers. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { isRows, type StreamItem } from "../../../src/domain/streams/StreamEvent.ts"
import type { StreamQuery } from "../../../src/domain/streams/StreamKey.ts"
import { shapeOf } from "../../../src/domain/streams/StreamRow.ts"
import * as ReplayAdapter from "../../../src/layers/recording/ReplayAdapter.ts"
import type * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { settled, temporaryDirectory } from "../stitching/support.ts"
import { atStart, began, pass, quotes, second, trades, vendorOf } from "../streams/support.ts"
import { over, recorded } from "./support.ts"

const at = (seconds: number) => began + seconds * second

/** Rows and words as lines, without what is of the moment of the telling: who comes in between, and which job was queued. */
const told = (items: ReadonlyArray<StreamItem>, stream = 0): ReadonlyArray<string> =>
  items
    .filter((item) => item.stream === stream)
    .flatMap(({ event }) => {
      if (!isRows(event)) {
        const words = Object.entries(event).filter(
          ([name]) => name !== "job" && !(event._tag === "Started" && name === "at")
        )
        return event._tag === "Closed" ? [] : [JSON.stringify(words)]
      }
      if (event.snapshot) return []
      const kind = event._tag === "Trades" ? "trades" : event._tag === "Bars" ? "bars" : "quotes"
      return event.rows.map((row) => shapeOf(kind).identity(row))
    })

const consumed = Effect.fnUntraced(function* (vendor: string, streams: ReadonlyArray<StreamQuery>) {
  const market = yield* MarketStreams
  const items: Array<StreamItem> = []
  const fiber = yield* market.items({ vendor, streams }, { policy: { _tag: "lossless", rows: 100_000 } }).pipe(
    Stream.runForEach((item) => Effect.sync(() => items.push(item))),
    Effect.forkScoped({ startImmediately: true })
  )
  return { items, fiber }
})

const replaying = Effect.fnUntraced(function* (name: string, session: number, speed: number) {
  const registry = yield* AdapterRegistry
  const archive = yield* ProvenanceStore
  yield* registry.register(
    ReplayAdapter.make({ name, description: name, session, speed, archive: Effect.succeed(archive) })
  )
})

/** Records a minute, with a consumer beside it that begins at the same instant; then replays it. */
const compared = (
  vendor: ModelVendor.ModelVendor,
  streams: ReadonlyArray<StreamQuery>,
  speed: number,
  ask: (live: ReadonlyArray<string>, again: ReadonlyArray<string>, index: number) => void
) =>
  Effect.gen(function* () {
    const directory = yield* temporaryDirectory
    yield* atStart
    // Between two stamps, so that the recording and the consumer beside it begin with the same row.
    yield* pass(500)
    yield* Effect.gen(function* () {
      const live = yield* consumed("model", streams)
      const events = yield* recorded(streams, 90 * second, { segmentBytes: 2_000 })
      const session = events.findLast((event) => event._tag === "Ended")?.session ?? 0
      yield* Fiber.interrupt(live.fiber)
      yield* replaying("replay", session, speed)
      const again = yield* consumed("replay", streams)
      const millis = speed === Number.POSITIVE_INFINITY ? 0 : (95 * second) / speed
      for (let left = 0; left < 400 && again.fiber.pollUnsafe() === undefined; left++) {
        yield* pass(Math.ceil(millis / 40))
        yield* settled
      }
      yield* Fiber.join(again.fiber)
      for (const index of streams.keys()) {
        const lines = told(again.items, index)
        ask(told(live.items, index).slice(0, lines.length), lines, index)
        const last = again.items.findLast((item) => item.stream === index)?.event
        assert.deepInclude(last, { _tag: "Closed", retryable: false })
      }
    }).pipe(Effect.scoped, Effect.provide(over(directory, vendor)))
  })

const faults = [
  { kind: "disconnect", start: at(20), end: at(31) },
  { kind: "gap", start: at(45), end: at(52) }
] as const

describe("a recording told again", () => {
  for (const speed of [1, 10, Number.POSITIVE_INFINITY]) {
    it.effect(`at speed ${speed}: the rows and words that the live consumer had, in that order, gaps in band`, () =>
      compared(
        vendorOf({ rate: 6, numbered: false, resolution: 1_000, faults }),
        [trades(), trades("BETA")],
        speed,
        (live, again) => {
          assert.isAbove(again.length, 300)
          assert.isAtLeast(again.filter((line) => line.includes("Repaired")).length, 2)
          assert.deepStrictEqual(again, live)
        }
      )
    )
  }

  it.effect("rows that come late and twice, and quotes of which nobody knows what a gap left out", () =>
    compared(
      vendorOf({ rate: 4, late: 0.3, lateness: 900, duplicates: 0.2, faults }),
      [trades(), quotes()],
      Number.POSITIVE_INFINITY,
      (live, again, index) => {
        assert.isAbove(again.length, 200)
        assert.strictEqual(
          again.some((line) => line.includes("Unrepairable")),
          index === 1
        )
        assert.deepStrictEqual(again, live)
      }
    )
  )

  it.effect("a gap that could not be repaired is one again, and asks nobody for its rows", () =>
    compared(vendorOf({ rate: 4, noHistory: true, faults }), [trades()], 10, (live, again) => {
      assert.include(again.join("\n"), "Unrepairable")
      assert.deepStrictEqual(again, live)
    })
  )

  it.effect("keeps the pace of the recording, and a consumer that is slow holds it up and misses nothing", () => {
    const vendor = vendorOf({ rate: 4 })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const events = yield* recorded([trades()], 60 * second)
        const session = events.findLast((event) => event._tag === "Ended")?.session ?? 0
        yield* replaying("replay", session, 2)
        const { items } = yield* consumed("replay", [trades()])
        const count = () => items.reduce((sum, { event }) => sum + (isRows(event) ? event.rows.length : 0), 0)
        yield* pass(10 * second)
        const early = count()
        yield* pass(10 * second)
        const later = count()
        assert.isAbove(early, 40)
        assert.isBelow(early, 120)
        assert.isAbove(later - early, 40)
        assert.isBelow(later - early, 120)
      }).pipe(Effect.scoped, Effect.provide(over(directory, vendor)))
    })
  })

  it.effect("what the session has not is said, with what it has; a session that recorded nothing is none", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const events = yield* recorded([trades()], 5 * second)
        const session = events.findLast((event) => event._tag === "Ended")?.session ?? 0
        yield* replaying("replay", session, 1)
        yield* replaying("nothing", session + 7, 1)
        const market = yield* MarketStreams
        const asked = (vendor: string, query: StreamQuery) =>
          Effect.map(Effect.flip(market.keys({ vendor, streams: [query] })), ({ message }) => message)
        assert.include(
          yield* asked("replay", quotes()),
          `session ${session} has no quotes of ALPHA; it has trades ALPHA`
        )
        assert.include(yield* asked("nothing", trades()), `no session ${session + 7}`)
      }).pipe(Effect.scoped, Effect.provide(over(directory, vendorOf())))
    })
  )
})
