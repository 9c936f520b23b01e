/** Comparisons of two model vendors over one data directory: asked for, and on arrival. */

import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { parseTolerances } from "../../../src/domain/Mismatch.ts"
import type { TimeRange } from "../../../src/domain/TimeRange.ts"
import { defaults } from "../../../src/layers/config/TapestryConfig.ts"
import type { ReconcileRule } from "../../../src/layers/reconcile/ReconcileRule.ts"
import * as Tapestry from "../../../src/layers/Tapestry.ts"
import * as ModelVendor from "../../../src/layers/testing/ModelVendor.ts"
import { AdapterRegistry } from "../../../src/services/AdapterRegistry.ts"
import { MarketStore } from "../../../src/services/MarketStore.ts"
import { Reconciliation } from "../../../src/services/Reconciliation.ts"
import { StitchingCache } from "../../../src/services/StitchingCache.ts"
import { temporaryDirectory } from "../stitching/support.ts"

const day = 86_400_000
const now = Date.UTC(2024, 5, 3, 12)
const from = Date.UTC(2024, 4, 1)
const month: TimeRange = { start: from, end: from + 30 * day }

const everything = (options: {
  readonly left?: ModelVendor.ModelVendorOptions
  readonly right?: ModelVendor.ModelVendorOptions
  readonly rules?: ReadonlyArray<ReconcileRule>
}) => {
  const left = ModelVendor.make({ name: "left", ...options.left })
  const right = ModelVendor.make({ name: "right", ...options.right })
  const registered = Layer.effectDiscard(
    Effect.gen(function* () {
      const registry = yield* AdapterRegistry
      yield* registry.register(Effect.succeed(left.adapter))
      yield* registry.register(Effect.succeed(right.adapter))
    })
  )
  const services = Layer.unwrap(
    Effect.map(temporaryDirectory, (dataDir) => {
      const config = { ...defaults, dataDir, sample: false, reconcile: options.rules ?? [] }
      return registered.pipe(Layer.provideMerge(Tapestry.layer({ dataDir, config })))
    })
  ).pipe(Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)), Layer.fresh)
  return { left, right, services }
}

const tolerances = (text: string) => {
  const parsed = parseTolerances(text)
  assert.strictEqual(parsed._tag, "Success", text)
  return parsed._tag === "Success" ? parsed.success : {}
}

describe("Reconciliation", () => {
  it.effect("X6: bars that are equal agree, and nothing is kept", () => {
    const { left, right, services } = everything({})
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const pair = { left: left.series("ALPHA", "1d"), right: right.series("ALPHA", "1d") }
      const report = yield* (yield* Reconciliation).reconcile({ ...pair, range: month, tolerances: {} })
      assert.deepInclude(report, {
        mismatched: 0,
        mismatches: {},
        onlyLeft: 0,
        onlyRight: 0,
        first: [],
        uncompared: []
      })
      assert.isAbove(report.rows, 20)
    }).pipe(Effect.provide(services))
  })

  it.effect(
    "X6: every value that differs is a row and counted by its field, and a tolerance is one of the field",
    () => {
      const { left, right, services } = everything({ right: { seed: 2 } })
      return Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const reconciliation = yield* Reconciliation
        const pair = { left: left.series("ALPHA", "1d"), right: right.series("ALPHA", "1d") }
        const query = { ...pair, range: month, tolerances: {} }
        const report = yield* reconciliation.reconcile(query)
        const ours = yield* left.direct(pair.left, month)
        const theirs = new Map((yield* right.direct(pair.right, month)).map((bar) => [bar.ts, bar]))
        const expected = ours.flatMap((bar) =>
          (["open", "high", "low", "close", "volume"] as const).flatMap((field) => {
            const other = theirs.get(bar.ts)?.[field] ?? null
            return bar[field] === null || other === null || bar[field] === other
              ? []
              : [{ ts: bar.ts, field, left: bar[field], right: other }]
          })
        )
        assert.isAbove(expected.length, 50)
        assert.deepStrictEqual(report.first, expected)
        const kept = yield* Stream.runCollect(reconciliation.mismatches(pair.left, pair.right, month, { open: true }))
        assert.deepStrictEqual(
          kept.map(({ mismatch }) => mismatch),
          expected
        )
        const loose = yield* reconciliation.reconcile({ ...query, tolerances: tolerances("price=10000,volume=100%") })
        assert.strictEqual(loose.mismatched, 0)
        const resolved = yield* Stream.runCollect(
          reconciliation.mismatches(pair.left, pair.right, month, { open: true })
        )
        assert.deepStrictEqual(resolved, [])
      }).pipe(Effect.provide(services))
    }
  )

  it.effect("X6: a bar that one side lacks is a row of its own; a hole, and what is not final, says nothing", () => {
    const { left, right, services } = everything({
      left: { limits: { earliest: from + 10 * day } },
      right: { holes: 0.3 }
    })
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const pair = { left: left.series("ALPHA", "1d"), right: right.series("ALPHA", "1d") }
      const range = { start: from, end: now + 5 * day }
      const report = yield* (yield* Reconciliation).reconcile({ ...pair, range, tolerances: {} })
      const today = Math.floor(now / day) * day
      assert.deepStrictEqual(report.uncompared, [
        { start: from, end: from + 10 * day },
        { start: today, end: report.uncompared[1]?.end ?? 0 }
      ])
      assert.isAbove(report.onlyLeft, 0)
      assert.strictEqual(report.onlyRight, 0)
      assert.strictEqual(report.mismatches.row, report.onlyLeft)
      assert.isAbove(report.leftHoles.length, 0)
      for (const { ts } of report.first) assert.isTrue(ts >= from + 10 * day && ts < today)
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: series that differ by right are refused, with what to do", () => {
    const { left, right, services } = everything({})
    return Effect.gen(function* () {
      const reconciliation = yield* Reconciliation
      const refused = (other: Partial<ReturnType<typeof left.series>>) =>
        Effect.flip(
          reconciliation.reconcile({
            left: left.series("ALPHA", "1d"),
            right: { ...right.series("ALPHA", "1d"), ...other },
            range: month,
            tolerances: {}
          })
        )
      assert.match(
        (yield* refused({ adjustment: "all" })).message,
        /adjustment is raw at left and all at right.*--adjustment/
      )
      assert.match((yield* refused({ timeframe: "1h" })).message, /timeframe is 1d at left and 1h at right/)
      assert.match((yield* refused({ vendor: "left" })).message, /the same series/)
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: what arrives at one vendor is compared with what the other one has, without asking it", () => {
    const rules: ReadonlyArray<ReconcileRule> = [
      { left: "left", right: "right", symbols: ["ALPHA"], timeframes: null, tolerances: {} }
    ]
    const { left, right, services } = everything({ right: { seed: 2 }, rules })
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const cache = yield* StitchingCache
      const market = yield* MarketStore
      const open = (symbol: string) =>
        Stream.runCollect(
          market.mismatches(left.series(symbol, "1d"), right.series(symbol, "1d"), month, { open: true })
        )
      for (const symbol of ["ALPHA", "BETA"]) yield* cache.read({ series: left.series(symbol, "1d"), range: month })
      const half = { start: month.start, end: month.start + 15 * day }
      for (const symbol of ["ALPHA", "BETA"]) yield* cache.read({ series: right.series(symbol, "1d"), range: half })
      let found = yield* open("ALPHA")
      for (let turn = 0; turn < 200 && found.length === 0; turn++) {
        yield* Effect.yieldNow
        found = yield* open("ALPHA")
      }
      assert.isAbove(found.length, 20)
      assert.isTrue(found.every(({ mismatch }) => mismatch.ts < half.end))
      assert.deepStrictEqual(yield* open("BETA"), [])
      assert.strictEqual((yield* right.log).length, 2)
    }).pipe(Effect.provide(services))
  })

  it.effect("X6: a bar that became final as it had been shown is compared when it does", () => {
    const rules: ReadonlyArray<ReconcileRule> = [
      { left: "left", right: "right", symbols: null, timeframes: null, tolerances: {} }
    ]
    const finalityDelay = 3_600_000
    const { left, right, services } = everything({ left: { finalityDelay }, right: { seed: 2 }, rules })
    return Effect.gen(function* () {
      const cache = yield* StitchingCache
      const market = yield* MarketStore
      const range = { start: from, end: from + day }
      const pair = [left.series("ALPHA", "1d"), right.series("ALPHA", "1d")] as const
      // Closed, and not final yet at the one vendor.
      yield* TestClock.setTime(range.end + 1)
      for (const series of pair) yield* cache.read({ series, range })
      yield* TestClock.setTime(range.end + finalityDelay)
      assert.strictEqual((yield* cache.read({ series: pair[0], range })).requests, 1)
      const open = Stream.runCollect(market.mismatches(...pair, range, { open: true }))
      let found = yield* open
      for (let turn = 0; turn < 200 && found.length === 0; turn++) {
        yield* Effect.yieldNow
        found = yield* open
      }
      assert.isAbove(found.length, 0)
    }).pipe(Effect.provide(services))
  })
})
