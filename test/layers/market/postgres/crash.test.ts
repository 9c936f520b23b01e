/** A server that is killed in the middle of commits, again and again. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted } from "effect"
import { ResponseId } from "../../../../src/domain/Response.ts"
import * as MarketStoreSqlite from "../../../../src/layers/market/MarketStoreSqlite.ts"
import * as MarketStorePostgres from "../../../../src/layers/market/postgres/MarketStorePostgres.ts"
import { seriesDigest } from "../../../../src/layers/market/seriesDigest.ts"
import { type Commit, MarketStore } from "../../../../src/services/MarketStore.ts"
import { bar, commitOf, covered, minute, seriesOf } from "../../../services/market/commits.ts"
import { bareDatabase, postgres } from "../../../support/postgres.ts"

const built = <E>(layer: Layer.Layer<MarketStore, E>) =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(MarketStore))

const kills = 12
const length = 3_000
const series = [seriesOf("A"), seriesOf("B"), seriesOf("C")]

/** Every answer corrects some rows of the one before, so that each leaves a trace. */
const answer = (id: number): Commit => {
  const of = series[id % series.length] ?? seriesOf("A")
  const rows = Array.from({ length }, (_, index) =>
    bar(index * minute, 1 + ((index + id * (index % 50 === 0 ? 1 : 0)) % 9))
  )
  return commitOf(of, id, rows, { coverage: [[0, length * minute, covered(id)]] })
}

it.live("what was acknowledged survives every kill of the server, and what was not is there whole or not at all", () =>
  Effect.gen(function* () {
    const server = yield* postgres
    const url = yield* bareDatabase
    const store = yield* built(MarketStorePostgres.layer({ url: Redacted.make(url) }))
    const acknowledged = new Set<number>()
    const reasons = new Set<string>()
    let id = 0
    for (let kill = 0; kill < kills; kill++) {
      let failures = 0
      const writing = yield* Effect.forkChild(
        Effect.forEach(
          [0, 1, 2],
          () =>
            Effect.gen(function* () {
              while (failures === 0) {
                const next = ++id
                const outcome = yield* Effect.result(store.commit(answer(next)))
                if (outcome._tag === "Success") acknowledged.add(next)
                else {
                  failures++
                  reasons.add(outcome.failure.reason._tag)
                }
              }
            }),
          { concurrency: "unbounded" }
        )
      )
      const before = acknowledged.size
      // After some commits and in the middle of another: how far it is differs from kill to kill.
      while (acknowledged.size < before + 3) yield* Effect.sleep("1 millis")
      yield* Effect.sleep(`${3 * kill} millis`)
      server.kill()
      yield* Fiber.join(writing)
      yield* Effect.promise(server.restart)
    }
    assert.deepStrictEqual([...reasons], ["StoreUnavailable"])

    const applied = new Set<number>()
    for (const one of series) for (const response of yield* store.applied(one, 1)) applied.add(response)
    for (const done of acknowledged) assert.isTrue(applied.has(done), `response ${done} was acknowledged and is lost`)
    // Those that are there are there with all that they say: as if they alone had ever been committed.
    const alone = yield* built(MarketStoreSqlite.layer({ filename: ":memory:" }))
    for (const one of [...applied].sort((a, b) => a - b)) yield* alone.commit(answer(ResponseId.make(one)))
    for (const one of series) {
      assert.deepStrictEqual(yield* seriesDigest(store, one), yield* seriesDigest(alone, one))
    }
    console.log(`${kills} kills, ${acknowledged.size} commits acknowledged, ${applied.size} there, ${id} tried`)
  })
)
