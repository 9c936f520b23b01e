/** Where a stored record came from: the line of a segment, the page of a history, and what was said of it before. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { split } from "../../../src/domain/records/EpochNanos.ts"
import type { Trade } from "../../../src/domain/records/Trade.ts"
import { canonical } from "../../../src/domain/SeriesKey.ts"
import { allTime } from "../../../src/domain/TimeRange.ts"
import { archiveFrames } from "../../../src/layers/recording/archiveFrames.ts"
import { segmentIdentity } from "../../../src/layers/recording/segmentRequest.ts"
import { Imports } from "../../../src/services/Imports.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import { ProvenanceStore } from "../../../src/services/ProvenanceStore.ts"
import { RecordStore } from "../../../src/services/RecordStore.ts"
import { ended, temporary, over as withJobs, working } from "../jobs/support.ts"
import { temporaryDirectory } from "../stitching/support.ts"
import { atStart, began, second, trades, vendorOf } from "../streams/support.ts"
import { over, recorded, seriesOf, storedOf } from "./support.ts"

describe("the receipt of a record", () => {
  it.effect("of a recorded trade names its line, when it was received, and the value that it took the place of", () => {
    const vendor = vendorOf({ rate: 4 })
    const series = seriesOf(vendor, "trades")
    return Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      yield* atStart
      yield* Effect.gen(function* () {
        const imports = yield* Imports
        const archive = yield* ProvenanceStore
        yield* recorded([trades()], 30 * second)
        const { rows } = yield* storedOf(series)
        assert.isAbove(rows.length, 60)
        for (const { lineage, row } of rows) {
          const trade = row as Trade
          const [receipt, ...others] = yield* imports.explain(series, split(trade.tsNs), { limit: 20 })
          assert.deepStrictEqual(others, [])
          assert.deepStrictEqual(receipt?.row, trade)
          assert.deepStrictEqual(receipt?.lineage, lineage)
          assert.deepStrictEqual(receipt?.before, [])
          const frame = JSON.parse(receipt?.excerpt.text ?? "")
          assert.deepInclude(frame.row, { tsNs: `${trade.tsNs}`, sequence: trade.sequence })
          assert.strictEqual(receipt?.receivedAt, frame.at)
          assert.isAtLeast(frame.at, split(trade.tsNs).millis)
          assert.match(
            receipt?.excerpt.label ?? "",
            new RegExp(`^line ${lineage.position} of segment \\d+ of session \\d+$`)
          )
          assert.strictEqual(receipt?.request.kind, "stream.segment")
        }

        // A later recording says another price.
        const before = rows[5]?.row as Trade
        const session = yield* archive.openSession({ source: "model", mode: "stream", asOf: null })
        const identity = segmentIdentity({
          form: 1,
          stream: { vendor: "model", symbol: "ALPHA", kind: "trades", timeframe: null, params: {} },
          recording: session,
          segment: 1,
          first: 2,
          from: null
        })
        const at = began + 60 * second
        const line = JSON.stringify({ n: 2, at, row: { ...before, tsNs: `${before.tsNs}`, price: before.price + 1 } })
        const subject = { series: canonical(series), range: { start: at, end: at + 1 } }
        const body = new TextEncoder().encode(`${line}\n`)
        const { id } = yield* archiveFrames(archive, session, identity, subject, at, body)
        yield* imports.project(id)
        const [receipt] = yield* imports.explain(series, split(before.tsNs), { limit: 20 })
        assert.deepInclude(receipt?.row, { price: before.price + 1 })
        assert.strictEqual(receipt?.receivedAt, at)
        assert.deepStrictEqual(
          receipt?.before.map(({ kind, row, supersededBy }) => ({ kind, row, supersededBy })),
          [{ kind: "corrected", row: before, supersededBy: id }]
        )
        const asOf = (rows[5]?.lineage.recordedAt ?? 0) + 1
        const [known] = yield* imports.explain(series, split(before.tsNs), { limit: 20, asOf })
        assert.deepStrictEqual([known?.row, known?.before], [before, []])
        assert.deepStrictEqual(yield* imports.explain(series, { millis: 0, nanos: 0 }, { limit: 20 }), [])
      }).pipe(Effect.provide(over(directory, vendor)))
    })
  })

  it.live("of a trade that was fetched names the page, and the row as it was read", () => {
    const vendor = vendorOf({ rate: 4, pageRows: 50 })
    const series = seriesOf(vendor, "trades")
    const stream = { vendor: "model", symbol: "ALPHA", kind: "trades" as const, timeframe: null, params: {} }
    const range = { start: began, end: began + 60 * second }
    return Effect.gen(function* () {
      const directory = yield* temporary
      yield* Effect.gen(function* () {
        const queue = yield* JobQueue
        const { job } = yield* queue.enqueue({ key: "one", type: "stream-repair", payload: { stream, range } })
        yield* working(ended(job.id))
        const records = yield* RecordStore
        const imports = yield* Imports
        const [stored] = yield* Stream.runCollect(Stream.take(records.storedRows(series, allTime), 1))
        const trade = stored?.row as Trade
        const [receipt] = yield* imports.explain(series, split(trade.tsNs), { limit: 20 })
        assert.strictEqual(receipt?.request.kind, "ticks")
        assert.strictEqual(receipt?.receivedAt, null)
        assert.strictEqual(receipt?.excerpt.label, "row 1 of the answer, as it was read")
        assert.deepInclude(JSON.parse(receipt?.excerpt.text ?? ""), { price: trade.price, sequence: trade.sequence })
      }).pipe(Effect.provide(withJobs(directory, vendor)))
    }).pipe(Effect.scoped)
  })
})
