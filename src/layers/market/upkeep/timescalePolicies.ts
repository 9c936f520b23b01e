/** {@link StorePolicies} of a PostgreSQL database, or why it has none. */
import { Effect } from "effect"
import { alone } from "../../postgres/migrate.ts"
import type { PostgresDatabase, Query } from "../../postgres/PostgresDatabase.ts"
import type { PostgresFailure } from "../../postgres/PostgresFailure.ts"
import { mapStoreFailure } from "../postgres/storeFailure.ts"
import { type Extension, findExtension, isAvailable } from "../postgres/timescale/extension.ts"
import { listHypertables, makeHypertables, setChunkInterval } from "../postgres/timescale/hypertables.ts"
import {
  compressChunks,
  listPolicies,
  removeCompression,
  removeRetention,
  setCompression,
  setRetention
} from "../postgres/timescale/policies.ts"
import type { StorePolicies } from "./StorePolicies.ts"

const policiesOf = (database: PostgresDatabase, extension: Extension): StorePolicies => {
  const changed = <A>(body: (query: Query) => Effect.Effect<A, PostgresFailure>) =>
    mapStoreFailure(alone(database, "policies", body))
  const query = database.bare("policies")
  return {
    version: extension.version,
    hypertables: mapStoreFailure(listHypertables(query, extension)),
    policies: mapStoreFailure(listPolicies(query)),
    apply: mapStoreFailure(makeHypertables(database, extension)),
    setChunks: (table, millis) =>
      changed((inside) => Effect.asVoid(setChunkInterval(inside, extension, table, millis))),
    setCompression: (table, after) => changed((inside) => setCompression(inside, extension, table, after)),
    removeCompression: (table) => changed((inside) => removeCompression(inside, extension, table)),
    compress: (table, before) => mapStoreFailure(compressChunks(query, extension, table, before)),
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
