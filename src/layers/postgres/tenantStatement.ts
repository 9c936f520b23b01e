/**
 * A statement in a transaction of its own that knows for whom it works: begin, set_config, the statement and commit go to the server in
 * one piece and come back in one, so that a tenant costs no round trips.
 *
 * Queueing: the caller has the connection for itself. Hard cases: the four are sent or not sent together, whoever is interrupted
 * meanwhile: a connection never goes back to the pool inside a transaction. Who is interrupted leaves at once; the statement is cancelled on the
 * server, and the connection is free when it has answered. A statement whose plan has become stale fails, and the caller sends all four
 * again: sent alone it would come behind the commit, where there is no tenant and so no row.
 */
import type { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Fiber, Predicate, Result, Scope } from "effect"
import type { SqlError } from "effect/sql"
import type { TenantId } from "../../domain/Tenant.ts"
import { type SqlParameter, text } from "./values.ts"

type Connection = PgConnection.PgConnection
type Rows = ReadonlyArray<ReadonlyArray<unknown>>

const setTenant = "select set_config('app.tenant_id', $1, true)"

/** Begins a transaction for a tenant; fails with nothing begun, or with a connection that broke. */
export const beginFor = (connection: Connection, tenant: TenantId): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(
    Effect.all([connection.query("begin"), connection.query(setTenant, [text(tenant)])], { concurrency: "unbounded" })
  )

const run = Effect.fnUntraced(function* (
  connection: Connection,
  tenant: TenantId,
  sql: string,
  params: ReadonlyArray<SqlParameter>
): Effect.fn.Return<Rows, SqlError.SqlError> {
  const [begun, set, rows, committed] = yield* Effect.all(
    [
      Effect.result(connection.query("begin")),
      Effect.result(connection.query(setTenant, [text(tenant)])),
      Effect.result(connection.queryValues(sql, params)),
      Effect.result(connection.query("commit"))
    ],
    { concurrency: "unbounded" }
  )
  if (Result.isFailure(begun)) return yield* Effect.fail(begun.failure)
  if (Result.isFailure(set)) return yield* Effect.fail(set.failure)
  if (Result.isFailure(rows)) return yield* Effect.fail(rows.failure)
  if (Result.isFailure(committed)) return yield* Effect.fail(committed.failure)
  return rows.success
})

/** The driver gives a connection whose statement it has cancelled to nobody before it knows that the cancelling is over. */
const cancel = (connection: Connection): Effect.Effect<void> =>
  Predicate.hasProperty(connection, "cancel") && Effect.isEffect(connection.cancel)
    ? Effect.ignore(connection.cancel as Effect.Effect<void>)
    : Effect.void

export const tenantStatement = (
  acquire: Effect.Effect<Connection, SqlError.SqlError, Scope.Scope>,
  tenant: TenantId,
  sql: string,
  params: ReadonlyArray<SqlParameter>
): Effect.Effect<Rows, SqlError.SqlError> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const connection = yield* restore(Scope.provide(acquire, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const running = yield* run(connection, tenant, sql, params).pipe(
        Effect.onExit((exit) => Scope.close(scope, exit)),
        Effect.forkDetach({ startImmediately: true })
      )
      return yield* restore(Fiber.join(running)).pipe(Effect.onInterrupt(() => cancel(connection)))
    })
  )
