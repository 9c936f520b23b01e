/** {@link StorePolicies} of a PostgreSQL database, or why it has none. */
import { Effect } from "effect"
import { alone } from "../../postgres/migrate.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { mapStoreFailure } from "../postgres/storeFailure.ts"
import {
  addAggregate,
  describeAggregates,
  refreshAggregate,
  removeAggregate
} from "../postgres/timescale/aggregates.ts"
import { type Extension, findExtension, isAvailable } from "../postgres/timescale/extension.ts"
import { isHypertable, listHypertables, makeHypertables, setChunkInterval } from "../postgres/timescale/hypertables.ts"
import { patiently } from "../postgres/timescale/patiently.ts"
import {
  compressChunks,
  listPolicies,
  removeCompression,
  removeRetention,
  setCompression,
  setRetention
} from "../postgres/timescale/policies.ts"
import type { StorePolicies } from "./StorePolicies.ts"
import { mismatch } from "./stamping.ts"

const policiesOf = (database: PostgresDatabase, extension: Extension): StorePolicies => {
  const changed = <A>(body: (query: Query) => Effect.Effect<A, PostgresFailure>) =>
    mapStoreFailure(alone(database, "policies", body))
  const query = database.bare("policies")
  /** What stands on chunks of a table. */
  const onChunks = <A>(table: string, body: (query: Query) => Effect.Effect<A, PostgresFailure>) =>
    mapStoreFailure(
      alone(database, "policies", (inside) =>
        Effect.gen(function* () {
          if (!(yield* isHypertable(inside, table))) {
            return yield* mismatch(
              `${table} of ${database.address} is no hypertable: tapestry store policies apply makes it one`
            )
          }
          return yield* body(inside)
        })
      )
    )
  return {
    version: extension.version,
    hypertables: mapStoreFailure(listHypertables(query, extension)),
    policies: mapStoreFailure(listPolicies(query)),
    apply: mapStoreFailure(makeHypertables(database, extension)),
    setChunks: (table, millis) =>
      onChunks(table, (inside) => Effect.asVoid(setChunkInterval(inside, extension, table, millis))),
    setCompression: (table, after) => onChunks(table, (inside) => setCompression(inside, extension, table, after)),
    removeCompression: (table) => changed((inside) => removeCompression(inside, extension, table)),
    compress: (table, before) =>
      mapStoreFailure(patiently(database, "compress", (inside) => compressChunks(inside, extension, table, before))),
    aggregates: mapStoreFailure(describeAggregates(query)),
    addAggregate: (timeframe, every) => onChunks("bars", (inside) => addAggregate(inside, extension, timeframe, every)),
    removeAggregate: (timeframe) => changed((inside) => removeAggregate(inside, timeframe)),
    refreshAggregate: (timeframe, range) =>
      mapStoreFailure(
        patiently(database, "refresh", (inside) => refreshAggregate(inside, extension, timeframe, range))
      ),
    setRetention: (of, after) => changed((inside) => setRetention(inside, extension, of, after)),
    removeRetention: (of) => changed((inside) => removeRetention(inside, extension, of))
  }
}

export const timescalePolicies = Effect.fnUntraced(function* (database: PostgresDatabase) {
  const query = database.bare("policies")
  const extension = yield* findExtension(query)
  if (extension !== null) return policiesOf(database, extension)
  return (yield* isAvailable(query))
    ? `${database.address} has not the extension TimescaleDB, which its server has: create extension timescaledb, as a user who may`
    : `${database.address} is on a server without TimescaleDB`
}, mapStoreFailure)
