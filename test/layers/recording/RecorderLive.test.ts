import { rmSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { canonical } from "../../../src/domain/SeriesKey.ts"
import type { SegmentFrame } from "../../../src/domain/streams/SegmentFrame.ts"
import { millisOf, shapeOf } from "../../../src/domain/streams/StreamRow.ts"
import { archiveFrames } from "../../../src/layers/recording/archiveFrames.ts"
import { segmentIdentity } from "../../../src/layers/recording/segmentRequest.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { MarketStreams } from "../../../src/services/MarketStreams.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import type { RecordingEvent } from "../../../src/services/Recorder.ts"
import { temporaryDirectory } from "../stitching/support.ts"
import { atStart, bars, began, quotes, second, trades, vendorOf } from "../streams/support.ts"
import { over, recorded, seriesOf, storedOf } from "./support.ts"

const at = (seconds: number) => began + seconds * second
const identitiesOf = (rows: ReadonlyArray<Trade>) => rows.map(shapeOf("trades").identity).sort()

const ended = (events: ReadonlyArray<RecordingEvent>) => {
  const last = events.at(-1)
  assert.strictEqual(last?._tag, "Ended")
  return last as Extract<RecordingEvent, { readonly _tag: "Ended" }>
}

const sessionOf = (events: ReadonlyArray<RecordingEvent>): number => ended(events).session

/** The frames of a session's payloads, in the order of the archive. */
const framesOf = Effect.fnUntraced(function* (session: number) {
  const archive = yield* ProvenanceStore
  const answers = yield* Stream.runCollect(archive.replay({ of: { _tag: "Session", id: session } }))
  const texts = yield* Effect.forEach(answers, ({ bytes }) =>
    Effect.map(bytes, (payload) => (payload instanceof Uint8Array ? new TextDecoder().decode(payload) : ""))
  )
  return texts.map((text) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line): SegmentFrame => JSON.parse(line))
  )
})

const removeStore = (directory: string) => {
  for (const end of ["", "-wal", "-shm"]) rmSync(`${directory}/market.sqlite${end}`, { force: true })
}

describe("Recorder", () => {
  it.effect(
    "trades over a gap: stored is the truth, proven, each row from the line it names; a lost store is made again",
    () => {
      // Prints of one second and without numbers: those alike in everything are told apart by nothing but their count.
      const vendor = vendorOf({
        rate: 6,
        numbered: false,
        resolution: 1_000,
        faults: [{ kind: "disconnect", start: at(20), end: at(31) }]
      })
      const series = seriesOf(vendor, "trades")
      const key = { vendor: "model", symbol: "ALPHA", kind: "trades" as const, timeframe: null, params: {} }
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        const before = yield* Effect.gen(function* () {
          const events = yield* recorded([trades()], 90 * second)
          const { kinds, unstored } = ended(events)
          assert.deepStrictEqual(unstored, [])
          assert.deepInclude(kinds[0], { kind: "trades", streams: 1, gaps: 1, missing: 0 })
          assert.isAbove(kinds[0]?.segments ?? 0, 8)
          const stored = yield* storedOf(series)
          const [first] = stored.coverage
          const last = stored.coverage.at(-1)
          assert.isTrue(stored.coverage.every(({ state }) => state._tag === "Covered"))
          for (const [index, { start }] of stored.coverage.entries()) {
            if (index > 0) assert.strictEqual(start, stored.coverage[index - 1]?.end)
          }
          const proven = { start: first?.start ?? 0, end: last?.end ?? 0 }
          assert.isAbove(proven.end, at(80))
          const within = stored.rows.map(({ row }) => row as Trade).filter((row) => millisOf(row) < proven.end)
          const truth = (vendor.stream?.truth(key, proven) ?? []) as ReadonlyArray<Trade>
          assert.isAbove(truth.length, 300)
          assert.deepStrictEqual(identitiesOf(within), identitiesOf(truth))
          const archive = yield* ProvenanceStore
          for (const { lineage, row } of stored.rows) {
            const { sha256 } = yield* archive.response(lineage.response)
            const text = new TextDecoder().decode(yield* archive.payload(sha256 ?? ""))
            const frame = JSON.parse(text.split("\n")[lineage.position - 1] ?? "")
            assert.deepInclude(frame.row, { tsNs: `${(row as Trade).tsNs}`, price: (row as Trade).price })
          }
          return stored
        }).pipe(Effect.provide(over(directory, vendor)))

        removeStore(directory)
        yield* Effect.gen(function* () {
          const imports = yield* Imports
          assert.deepStrictEqual((yield* storedOf(series)).rows, [])
          const again = yield* Stream.runCollect(imports.replay())
          assert.deepStrictEqual([...new Set(again.map(({ problem }) => problem))], [null])
          assert.deepStrictEqual(yield* storedOf(series), before)
          const compared = yield* Stream.runCollect(imports.check({ limit: 5 }))
          assert.deepStrictEqual(
            compared.map((event) => event._tag === "Compared" && event.rows + event.coverage + event.revisions),
            [0]
          )
        }).pipe(Effect.provide(over(directory, vendor)))
      })
    }
  )

  it.effect(
    "every row and word stands in the segments in the order in which a consumer is told it, numbered without a hole",
    () => {
      const vendor = vendorOf({ rate: 3, faults: [{ kind: "gap", start: at(20), end: at(31) }] })
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        yield* Effect.gen(function* () {
          const market = yield* MarketStreams
          const told: Array<string> = []
          yield* market.items({ vendor: "model", streams: [trades()] }).pipe(
            Stream.runForEach(({ event }) =>
              Effect.sync(() => {
                if (event._tag === "Trades") for (const { tsNs } of event.rows) told.push(`${tsNs}`)
                else told.push(event._tag)
              })
            ),
            Effect.forkScoped({ startImmediately: true })
          )
          const session = sessionOf(yield* recorded([trades()], 60 * second, { segmentBytes: 600 }))
          const frames = (yield* framesOf(session)).flat()
          const numbered = frames.filter(({ again }) => again === undefined)
          assert.deepStrictEqual(
            numbered.map(({ n }) => n),
            numbered.map((_, index) => index + 1)
          )
          assert.isDefined(numbered[0]?.open)
          assert.deepInclude(numbered.at(-1)?.closed, { why: "the recording was ended" })
          const written = numbered.flatMap(({ event, row, snapshot }) =>
            row !== undefined && snapshot === undefined
              ? [`${(row as unknown as { tsNs: string }).tsNs}`]
              : event === undefined
                ? []
                : [event._tag]
          )
          assert.include(written, "Repaired")
          assert.isAbove(written.length, 100)
          assert.deepStrictEqual(written, told.slice(0, written.length))
        }).pipe(Effect.scoped, Effect.provide(over(directory, vendor)))
      })
    }
  )

  it.effect("quotes are stored as often as the book has changed; depth and bars are archived", () => {
    const vendor = vendorOf({ rate: 4 })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const events = yield* recorded([quotes(), { symbol: "ALPHA", kind: "depth" }, bars()], 30 * second)
        const kinds = new Map(ended(events).kinds.map((kind) => [kind.kind, kind]))
        assert.isAbove(kinds.get("quotes")?.rows ?? 0, 50)
        assert.isAbove(kinds.get("depth")?.rows ?? 0, 50)
        assert.isAtLeast(kinds.get("bars")?.rows ?? 0, 5)
        const stored = yield* storedOf(seriesOf(vendor, "quotes"))
        assert.isAbove(stored.rows.length, 40)
        assert.isAtMost(stored.rows.length, kinds.get("quotes")?.rows ?? 0)
        // As many as the vendor cares to send prove nothing.
        assert.deepStrictEqual(stored.coverage, [])
      }).pipe(Effect.provide(over(directory, vendor)))
    })
  })

  it.effect("one that is ended while the store is behind ends when the store has all", () => {
    const vendor = vendorOf({ rate: 3_000 })
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const { kinds, unstored } = ended(yield* recorded([trades()], 5 * second, { segmentBytes: 100_000 }))
        assert.deepStrictEqual(unstored, [])
        assert.isAbove(kinds[0]?.rows ?? 0, 10_000)
        assert.strictEqual((yield* storedOf(seriesOf(vendor, "trades"))).rows.length, kinds[0]?.rows)
      }).pipe(Effect.provide(over(directory, vendor)))
    })
  })

  it.effect("a store that lost what was recorded has it again with the next recording", () => {
    const vendor = vendorOf({ rate: 4 })
    const series = seriesOf(vendor, "trades")
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      const first = yield* Effect.andThen(recorded([trades()], 20 * second), storedOf(series)).pipe(
        Effect.provide(over(directory, vendor))
      )
      removeStore(directory)
      const second_ = yield* Effect.andThen(recorded([trades()], 20 * second), storedOf(series)).pipe(
        Effect.provide(over(directory, vendor))
      )
      assert.isAbove(second_.rows.length, first.rows.length)
      assert.deepStrictEqual(second_.rows.slice(0, first.rows.length), first.rows)
      // The first was ended in order: in between nothing was recorded, and nothing is claimed.
      assert.isTrue(second_.coverage.length > 1)
    })
  })

  it.effect(
    "an answer about trades that cannot be read is told by a rebuild, and keeps no other from being stored",
    () => {
      const vendor = vendorOf({ rate: 4 })
      const series = seriesOf(vendor, "trades")
      return Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        yield* atStart
        yield* Effect.gen(function* () {
          yield* recorded([trades()], 10 * second)
          const archive = yield* ProvenanceStore
          const session = yield* archive.openSession({ source: "model", mode: "stream", asOf: null })
          const subject = { series: canonical(series), range: { start: at(20), end: at(30) } }
          const identity = segmentIdentity({
            form: 1,
            stream: { vendor: "model", symbol: "ALPHA", kind: "trades", timeframe: null, params: {} },
            recording: session,
            segment: 1,
            first: 2,
            from: at(20)
          })
          const torn = new TextEncoder().encode('{"n":2,"at":')
          const { id } = yield* archiveFrames(archive, session, identity, subject, at(30), torn)
          const imports = yield* Imports
          const again = yield* Stream.runCollect(imports.replay())
          const problems = again.filter(({ problem }) => problem !== null)
          assert.deepStrictEqual(
            problems.map(({ response }) => response),
            [id]
          )
          assert.include(problems[0]?.problem ?? "", "line 1 is no frame")
          assert.isAbove(again.length, 1)
        }).pipe(Effect.provide(over(directory, vendor)))
      })
    }
  )

  it.effect("what is wrong is said before anything is recorded", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* Effect.gen(function* () {
        const failure = yield* Effect.flip(recorded([trades("NOBODY")], 0))
        assert.include(failure.message, "no symbol NOBODY")
        const archive = yield* ProvenanceStore
        assert.deepStrictEqual(yield* archive.sessions({ limit: 5 }), [])
      }).pipe(Effect.provide(over(directory, vendorOf())))
    })
  )
})
