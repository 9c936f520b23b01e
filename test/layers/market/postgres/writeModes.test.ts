/** The write modes of market-data-store: each is taken, at the sizes at which it would have changed its way, and leaves the same rows. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer, Redacted } from "effect"
import { WriteMode } from "../../../../src/domain/WriteMode.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { seriesDigest } from "../../../../src/layers/market/seriesDigest.ts"
import { MarketStore } from "../../../../src/services/MarketStore.ts"
import { bar, commitOf, covered, everything, minute, seriesOf } from "../../../services/market/commits.ts"
import { freshDatabase } from "../../../support/postgres.ts"

const series = seriesOf("A")

const rowsOf = (size: number, round: number) =>
  Array.from({ length: size }, (_, index) =>
    bar(index * minute, 1 + ((index + (index % 3 === 0 ? round : 0)) % 7), { vwap: index % 2 === 0 ? null : 1.5 })
  )

const leftBy = (writeMode: WriteMode, size: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const url = Redacted.make(yield* freshDatabase)
      const store = Context.get(
        yield* Layer.build(Layer.fresh(MarketStorePostgres.layer({ url, writeMode }))),
        MarketStore
      )
      const results = []
      // A row twice, the same answer again, and one that corrects a third of it.
      for (const [id, rows] of [
        [1, [bar(0, 99), ...rowsOf(size, 0)]],
        [2, rowsOf(size, 0)],
        [3, rowsOf(size, 1)]
      ] as const) {
        results.push(yield* store.commit(commitOf(series, id, rows, { coverage: [[0, size * minute, covered(id)]] })))
      }
      assert.strictEqual(yield* store.count(series, everything), size)
      return { results, digest: yield* seriesDigest(store, series) }
    })
  )

describe("write modes", () => {
  for (const size of [1, 499, 500, 4_999, 5_000]) {
    it.live(`48: ${size} rows: executemany, values, copy and auto leave the same`, () =>
      Effect.gen(function* () {
        const auto = yield* leftBy("auto", size)
        for (const mode of WriteMode.literals) assert.deepStrictEqual(yield* leftBy(mode, size), auto, mode)
      })
    )
  }

  it.live("one of the environment is taken too, and a name that is none is refused", () =>
    Effect.gen(function* () {
      const url = Redacted.make(yield* freshDatabase)
      const opened = (mode: string) =>
        Effect.scoped(Layer.build(Layer.fresh(MarketStorePostgres.layer({ url })))).pipe(
          Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord({ TAPESTRY_PG_WRITE_MODE: mode })))
        )
      yield* opened("copy")
      assert.include((yield* Effect.flip(opened("bulk"))).message, "TAPESTRY_PG_WRITE_MODE")
    })
  )
})
