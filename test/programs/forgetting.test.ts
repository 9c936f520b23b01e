/** `series forget` that is run again after its answer was lost. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { canonical } from "../../src/domain/SeriesKey.ts"
import { forgetting } from "../../src/programs/commands/series/forgetting.ts"
import {
  CacheUnavailable,
  StitchingCache,
  StitchingCacheError,
  UnknownSeries
} from "../../src/services/StitchingCache.ts"
import * as World from "../rpc/handlers/world.ts"

const series = World.seriesOf("ALPHA", "1h")
const lost = new StitchingCacheError({ reason: new CacheUnavailable({ again: true, message: "the connection broke" }) })
const mistake = new StitchingCacheError({ reason: new CacheUnavailable({ again: false, message: "a mistake" }) })
const unknown = new StitchingCacheError({ reason: new UnknownSeries({ series: canonical(series) }) })

/** Runs it as often as there are answers; what each time came of it. */
const run = (...answers: ReadonlyArray<number | StitchingCacheError>) => {
  const forgot = forgetting()
  return Effect.forEach(answers, (answer) =>
    forgot(series).pipe(
      Effect.match({ onFailure: ({ reason }) => reason._tag, onSuccess: (rows) => rows }),
      Effect.provide(
        Layer.mock(StitchingCache, {
          forget: () => (typeof answer === "number" ? Effect.succeed(answer) : Effect.fail(answer))
        })
      )
    )
  )
}

describe("forgetting a series", () => {
  it.effect("that is not stored is an error, unless its answer was lost before", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* run(unknown), ["UnknownSeries"])
      assert.deepStrictEqual(yield* run(lost, unknown), ["CacheUnavailable", null])
      assert.deepStrictEqual(yield* run(lost, lost, unknown), ["CacheUnavailable", "CacheUnavailable", null])
      assert.deepStrictEqual(yield* run(lost, 24), ["CacheUnavailable", 24])
      assert.deepStrictEqual(yield* run(mistake, unknown), ["CacheUnavailable", "UnknownSeries"])
    })
  )
})
