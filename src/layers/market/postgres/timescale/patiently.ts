import { Effect } from "effect"
import type { PostgresDatabase, Query } from "../../../postgres/PostgresDatabase.ts"
import { failureOf } from "../../../postgres/PostgresFailure.ts"
import type { SqlParameter } from "../../../postgres/values.ts"

/** Statements outside of a transaction that take as long as they take, on a connection of their own. */
export const patiently = <A, E, R>(
  { address, client: connect }: PostgresDatabase,
  operation: string,
  body: (query: Query) => Effect.Effect<A, E, R>
) => {
  const failed = failureOf(address, operation)
  return Effect.scoped(
    Effect.gen(function* () {
      const client = yield* connect
      const connection = yield* Effect.mapError(client.reserve, failed)
      const query = ((sql: string, params: ReadonlyArray<SqlParameter> = []) =>
        Effect.mapError(connection.executeValues(sql, params), failed)) as Query
      yield* query("set statement_timeout = 0")
      return yield* Effect.ensuring(body(query), Effect.ignore(query("reset statement_timeout")))
    })
  )
}
