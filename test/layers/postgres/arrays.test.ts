/** Arrays as a real server understands them. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import fc from "fast-check"
import {
  float8s,
  instants,
  int2s,
  int4s,
  int8s,
  type SqlParameter,
  texts,
  types
} from "../../../src/layers/postgres/values.ts"
import { bareDatabase } from "../../support/postgres.ts"

const connected = Effect.gen(function* () {
  const url = yield* bareDatabase
  const client = PgClient.layer({ url: Redacted.make(url), types: types(), maxConnections: 1 })
  return Context.get(yield* Layer.build(client), PgClient.PgClient)
})

const nullable = (values: fc.Arbitrary<number>) => fc.array(fc.option(values), { maxLength: 60 })
const bits = (count: number) => fc.integer({ min: -(2 ** (count - 1)), max: 2 ** (count - 1) - 1 })

/** What goes there and back, by the name of the type; -0 has to stay what it is. */
const kinds = {
  int2: [int2s, nullable(bits(16))],
  int4: [int4s, nullable(bits(32))],
  int8: [int8s, nullable(fc.maxSafeInteger())],
  float8: [float8s, nullable(fc.double({ noNaN: true }))],
  timestamptz: [instants, nullable(fc.integer({ min: -210_866_803_200_000, max: Number.MAX_SAFE_INTEGER }))]
} as const

describe("arrays", () => {
  for (const [type, [make, arbitrary]] of Object.entries(kinds)) {
    it.live(`of ${type} are the same in the database and back, nulls and none at all among them`, () =>
      Effect.gen(function* () {
        const client = yield* connected
        for (const values of fc.sample(arbitrary, 60)) {
          const rows = yield* client.unsafe(`select unnest($1::${type}[])`, [make(values)]).values
          assert.deepStrictEqual(
            rows.map(([value]) => value),
            values
          )
        }
      })
    )
  }

  it.live("hold instants that PostgreSQL does not have as the ends of time", () =>
    Effect.gen(function* () {
      const client = yield* connected
      const found = yield* client.unsafe("select unnest($1::timestamptz[])::text", [instants([-9e15, 9.3e15])]).values
      assert.deepStrictEqual(found, [["-infinity"], ["infinity"]])
    })
  )

  it.live("with a number that the type does not have fail their statement, and nothing else", () =>
    Effect.gen(function* () {
      const client = yield* connected
      const cases: ReadonlyArray<readonly [type: string, parameter: SqlParameter]> = [
        ["int2", int2s([1, 32_768])],
        ["int4", int4s([0.5])],
        ["int8", int8s([2 ** 53])],
        ["float8", float8s(["1"])]
      ]
      for (const [type, parameter] of cases) {
        const error = yield* Effect.flip(client.unsafe(`select $1::${type}[]`, [parameter]).values)
        assert.match(String(error.reason.cause), /is no number for a column/)
      }
      assert.deepStrictEqual(yield* client.unsafe("select unnest($1::text[])", [texts(["a", null])]).values, [
        ["a"],
        [null]
      ])
    })
  )
})
