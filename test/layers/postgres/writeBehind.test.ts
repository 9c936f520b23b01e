/** Writes that go on while the next are made ready, against a real server. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { writeBehind } from "../../../src/layers/postgres/writeBehind.ts"
import { bareDatabase, sql } from "../../support/postgres.ts"

const connected = Effect.gen(function* () {
  const url = yield* bareDatabase
  yield* sql(url, "create table t (n int primary key)")
  const client = PgClient.layer({ url: Redacted.make(url), maxConnections: 2 })
  return { url, client: Context.get(yield* Layer.build(client), PgClient.PgClient) }
})

describe("writeBehind", () => {
  it.live("keeps the order of writes, and reads see what was put before them", () =>
    Effect.gen(function* () {
      const { client } = yield* connected
      const seen = yield* client.withTransaction(
        writeBehind((put) =>
          Effect.gen(function* () {
            const counts: Array<unknown> = []
            for (let n = 0; n < 20; n++) {
              yield* put(client.unsafe(`insert into t select ${n} from pg_sleep(0.002)`).values)
              if (n % 3 === 0) counts.push((yield* client.unsafe("select count(*)::int from t").values)[0]?.[0])
            }
            return counts
          })
        )
      )
      assert.deepStrictEqual(seen, [1, 4, 7, 10, 13, 16, 19])
      assert.deepStrictEqual(yield* client.unsafe("select count(*)::int, max(n) from t").values, [[20, 19]])
    })
  )

  it.live("goes on with its body while a write is at the server, and has one write there at most", () =>
    Effect.gen(function* () {
      const { client } = yield* connected
      const began: Array<number> = []
      const release = yield* Deferred.make<void>()
      const write = (n: number) =>
        Effect.andThen(
          Effect.sync(() => began.push(n)),
          n === 1 ? Deferred.await(release) : client.unsafe(`insert into t values (${n})`).values
        )
      yield* writeBehind((put) =>
        Effect.gen(function* () {
          yield* put(write(1))
          assert.deepStrictEqual(began, [1])
          const second = yield* Effect.forkChild(put(write(2)), { startImmediately: true })
          assert.deepStrictEqual(began, [1])
          yield* Deferred.succeed(release, undefined)
          yield* Fiber.join(second)
          assert.deepStrictEqual(began, [1, 2])
        })
      )
      assert.deepStrictEqual(yield* client.unsafe("select n from t").values, [[2]])
    })
  )

  it.live("fails with what the write failed with, not with the refusals that follow it", () =>
    Effect.gen(function* () {
      const { client, url } = yield* connected
      const twice = client.unsafe("insert into t values (1), (1)").values
      const after = (follow: Effect.Effect<unknown, unknown>) =>
        Effect.flip(client.withTransaction(writeBehind((put) => Effect.andThen(put(twice), follow))))
      for (const follow of [client.unsafe("select 1").values, Effect.void]) {
        const error = yield* after(follow)
        assert.match(JSON.stringify(error), /t_pkey/)
      }
      assert.deepStrictEqual(yield* sql(url, "select n from t"), [])
    })
  )

  it.live("leaves no write behind when its body is interrupted", () =>
    Effect.gen(function* () {
      const { client, url } = yield* connected
      const putting = yield* Deferred.make<void>()
      const fiber = yield* client
        .withTransaction(
          writeBehind((put) =>
            put(client.unsafe("insert into t select 1 from pg_sleep(60)").values).pipe(
              Effect.andThen(Deferred.succeed(putting, undefined)),
              Effect.andThen(Effect.never)
            )
          )
        )
        .pipe(Effect.forkChild)
      yield* Deferred.await(putting)
      yield* Fiber.interrupt(fiber)
      const busy = "select count(*)::int from pg_stat_activity where state = 'active' and query like 'insert into t%'"
      assert.deepStrictEqual(yield* sql(url, busy), [[0]])
      assert.deepStrictEqual(yield* client.unsafe("select n from t").values, [])
    })
  )
})
