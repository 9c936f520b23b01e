import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Rejected, Throttled } from "../../../src/services/Adapter.ts"
import { JobQueue } from "../../../src/services/JobQueue.ts"
import {
  atStart,
  bars,
  began,
  eventsOf,
  isTrue,
  over,
  pass,
  quotes,
  record,
  rowsOf,
  second,
  tags,
  trades,
  vendorOf
} from "./support.ts"

const at = (seconds: number) => began + seconds * second

describe("gaps", () => {
  it.effect("X4: a stream that breaks says so, and the rows that were missing come in their place", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: at(10), end: at(20) }] })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(60 * second)
      assert.deepStrictEqual(
        tags(tape),
        ["Started", "DataType", "Trades", "Gap", "Resumed", "DataType", "Trades", "Repaired", "Trades"].filter(
          (tag, index) => !(tag === "DataType" && index === 5)
        )
      )
      assert.isAbove(isTrue(vendor, tape), 80)
      const repaired = eventsOf(tape).find(({ _tag }) => _tag === "Repaired")
      assert.isTrue(repaired?._tag === "Repaired" && repaired.rows > 10)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("an adapter that mends its connection itself: the same", () => {
    const vendor = vendorOf({
      faults: [{ kind: "gap", start: at(10), end: at(20) }],
      numbered: false,
      resolution: 1_000
    })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(60 * second)
      assert.isAbove(isTrue(vendor, tape), 80)
      assert.strictEqual(vendor.stream?.opened(), 1)
      assert.include(tags(tape), "Repaired")
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a stream that falls silent is opened again", () => {
    const vendor = vendorOf({ faults: [{ kind: "silent", start: at(10), end: at(15) }], rate: 5, silence: 8 * second })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(60 * second)
      const gap = eventsOf(tape).find(({ _tag }) => _tag === "Gap")
      assert.isTrue(gap?._tag === "Gap" && gap.reason.includes("nothing came for 8 s"))
      assert.isAbove(isTrue(vendor, tape), 200)
      assert.strictEqual(vendor.stream?.running(), 1)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("bars of a gap come from the store's own way, and are stored", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: at(12), end: at(31) }] })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([bars()])
      yield* pass(90 * second)
      assert.strictEqual(isTrue(vendor, tape), 18)
      assert.include(tags(tape), "Repaired")
      const asked = (yield* vendor.log).map(({ range }) => range)
      assert.isAbove(asked.length, 0)
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("quotes of a gap cannot be had, and that is told", () => {
    const vendor = vendorOf({ faults: [{ kind: "disconnect", start: at(10), end: at(20) }] })
    return Effect.gen(function* () {
      yield* atStart
      const shown = yield* record([quotes()])
      yield* pass(40 * second)
      assert.deepStrictEqual(
        tags(shown).filter((tag) => tag !== "Quotes"),
        ["Started", "DataType", "Gap", "Resumed", "Unrepairable"]
      )
      const missing = eventsOf(shown).find(({ _tag }) => _tag === "Unrepairable")
      assert.isTrue(missing?._tag === "Unrepairable" && missing.job === null && missing.to >= at(20))
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("what the history will not give is told as missing, and a job is queued that stores it later", () => {
    let refuse = true
    const vendor = vendorOf({
      faults: [{ kind: "disconnect", start: at(10), end: at(20) }],
      historyTrouble: () => (refuse ? new Rejected({ message: "not now" }) : null)
    })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(60 * second)
      const missing = eventsOf(tape).find(({ _tag }) => _tag === "Unrepairable")
      assert.isTrue(missing?._tag === "Unrepairable" && missing.why.includes("not now"))
      assert.isAbove(isTrue(vendor, tape), 60)
      const queue = yield* JobQueue
      const [view] = yield* queue.list()
      assert.strictEqual(view?.job.type, "stream-repair")
      assert.strictEqual(missing?._tag === "Unrepairable" ? missing.job : null, view?.job.key)
      refuse = false
    }).pipe(Effect.provide(over(vendor)))
  })

  it.effect("a vendor that is slow to give the history is waited for so long, and no longer", () => {
    const vendor = vendorOf({
      faults: [{ kind: "gap", start: at(10), end: at(20) }],
      historyTrouble: () => new Throttled({ retryAfter: 50 * second })
    })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(28 * second)
      const before = rowsOf(tape).length
      yield* pass(5 * second)
      assert.isAbove(rowsOf(tape).length, before)
      const missing = eventsOf(tape).find(({ _tag }) => _tag === "Unrepairable")
      assert.isTrue(missing?._tag === "Unrepairable" && missing.why.includes("within 10 s"))
      isTrue(vendor, tape)
    }).pipe(Effect.provide(over(vendor, { repairPatience: 10 * second })))
  })

  it.effect("more rows than are held while a gap is repaired: the gap is given up, the rows are not", () => {
    const vendor = vendorOf({
      faults: [{ kind: "gap", start: at(10), end: at(20) }],
      rate: 20,
      historyDelay: 30 * second
    })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(40 * second)
      const missing = eventsOf(tape).find(({ _tag }) => _tag === "Unrepairable")
      assert.isTrue(missing?._tag === "Unrepairable" && missing.why.includes("more than 50 rows"))
      assert.isAbove(isTrue(vendor, tape), 400)
    }).pipe(Effect.provide(over(vendor, { held: 50 })))
  })

  it.effect("a second gap while the first is repaired is one gap, of which all is fetched", () => {
    const vendor = vendorOf({
      faults: [
        { kind: "gap", start: at(10), end: at(20) },
        { kind: "gap", start: at(23), end: at(26) }
      ],
      historyDelay: 5 * second,
      rate: 5
    })
    return Effect.gen(function* () {
      yield* atStart
      const tape = yield* record([trades()])
      yield* pass(60 * second)
      assert.isAbove(isTrue(vendor, tape), 200)
      assert.strictEqual(eventsOf(tape).filter(({ _tag }) => _tag === "Gap").length, 2)
      assert.strictEqual(eventsOf(tape).filter(({ _tag }) => _tag === "Repaired").length, 1)
    }).pipe(Effect.provide(over(vendor)))
  })
})
