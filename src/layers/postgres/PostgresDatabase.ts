/**
 * Between @effect/sql-pg and the rest (with tenantStatement.ts): a pool of connections, statements that give rows as arrays, transactions.
 *
 * Responsibilities: settings of the connections, the driver's errors as values without secrets, and for whom each statement works: the
 * tenant is set in each transaction and gone with it, and a statement outside one gets one of its own. Queueing: each statement outside a
 * transaction borrows a connection, each transaction has one for itself; who finds none free waits, first come first served.
 * Transactions leave `keptForReaders` connections alone, so that readers never wait for writers that wait for each other; that holds
 * over all tenants of a pool.
 *
 * Hard cases: a transaction whose body fails, dies or is interrupted is rolled back; a COMMIT that the server answers with ROLLBACK is
 * a failure; a connection that broke is not used again. (The client's own transactions die where the rollback fails, as it does on
 * a connection that broke, and hide what went wrong; so these are ours.) A transaction that was in another one's way (40001, 40P01) is run again, which
 * is safe: nothing of it is there. So is, after longer pauses, one whose connection broke before COMMIT, or whose server has no connection
 * left, stops or starts. One whose COMMIT got no answer is not: it may have been done. A connection that was cut off while it
 * was idle is found out by the next who gets it: what has not begun, or only reads, is tried on another.
 */
import type { ConnectionOptions } from "node:tls"
import { PgClient, PgPool } from "@effect/sql-pg"
import { Clock, Data, Effect, Exit, type Redacted, Result, Schedule, type Scope, Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlClient, SqlError } from "effect/sql"
import { defaultTenant, type TenantId } from "../../domain/Tenant.ts"
import { type PostgresAddress, showAddress } from "./PostgresAddress.ts"
import { atCommit, failureOf, isContention, isPassing, isStalePlan, PostgresFailure } from "./PostgresFailure.ts"
import { beginFor, tenantStatement } from "./tenantStatement.ts"
import { ownTenant, type SqlParameter, types, uuid } from "./values.ts"

export type PostgresRow = ReadonlyArray<number | string | Uint8Array | null>

/** Runs a statement; rows are arrays of columns. */
export type Query = (
  sql: string,
  params?: ReadonlyArray<SqlParameter>
) => Effect.Effect<ReadonlyArray<PostgresRow>, PostgresFailure>

export interface PostgresDatabase {
  /** `host:port/database`. */
  readonly address: string
  /** Whose rows statements see and write. */
  readonly tenant: TenantId
  /** One statement, which sees one state of the database. */
  readonly query: (operation: string) => Query
  /** Commits when the body succeeds, else rolls back; runs the body again when another transaction was in its way. */
  readonly transaction: <A, E, R>(
    operation: string,
    body: (query: Query) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | PostgresFailure, R>
  /** The same database for another tenant, over the same connections. */
  readonly forTenant: (tenant: TenantId) => PostgresDatabase
  /** One statement of nobody in particular: about the schema, or over all tenants. */
  readonly bare: (operation: string) => Query
  /** A connection of its own, for who changes the schema. */
  readonly client: Effect.Effect<SqlClient.SqlClient, PostgresFailure, Scope.Scope>
}

export interface PostgresOptions {
  readonly url: Redacted.Redacted
  readonly address: PostgresAddress
  /** Undefined: what the URL says. */
  readonly tls: ConnectionOptions | undefined
  readonly pool: { readonly min: number; readonly max: number }
  /** Milliseconds after which the server gives a statement up; 0 never. */
  readonly statementTimeout: number
  readonly applicationName: string
  /** Every write is refused by the server. */
  readonly readonly?: boolean
  /** The default tenant unless given. */
  readonly tenant?: TenantId
}

const keptForReaders = 2

/**
 * How often something is tried again on another connection, because the one it got had been cut off while nobody used it: the server was
 * started again, or something between has forgotten it. Nothing had been done by then.
 */
const staleConnections = 3

class NotBegun extends Data.TaggedError("NotBegun")<{ readonly error: PostgresFailure }> {}

/** A few quick tries: who was in the way is done in milliseconds. */
const outOfTheWay = Schedule.exponential("5 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 8 }))

/** Longer ones, three seconds in all: a server that starts again, or others that give back their connections. */
const backAgain = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 5 }))

/** What is waited for is the server, in whose time pauses pass, whatever the clock of the program. */
const inTimeOfServer = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())

export const open: (options: PostgresOptions) => Effect.Effect<PostgresDatabase, PostgresFailure, Scope.Scope> =
  Effect.fnUntraced(function* (options) {
    const address = showAddress(options.address)
    const config = {
      url: options.url,
      username: options.address.user,
      database: options.address.database,
      ssl: options.tls,
      applicationName: options.applicationName,
      types: types(),
      startupParameters: {
        statement_timeout: String(options.statementTimeout),
        // What is read does not depend on where the server stands.
        timezone: "UTC",
        // Of a table that was filled and not yet analysed the planner expects a row or none, and would rather collect all that a page and
        // those behind it may hold and sort them than follow the index: pages of a long range took time that grows with its square.
        enable_bitmapscan: "off",
        ...(options.readonly === true ? { default_transaction_read_only: "on" } : {})
      }
    }
    const connecting = <A, E extends SqlError.SqlError, R>(connect: Effect.Effect<A, E, R>) =>
      connect.pipe(
        Effect.mapError(failureOf(address, "connect")),
        Effect.retry({ schedule: backAgain, while: isPassing }),
        // Connections, too, age in the time of the server.
        inTimeOfServer
      )
    const pool = yield* connecting(
      PgPool.make({
        ...config,
        minConnections: options.pool.min,
        maxConnections: options.pool.max,
        // Several statements go to a connection at once, of one user: see tenantStatement.ts.
        multiplex: true,
        multiplexConcurrency: 1
      })
    )
    const writers = yield* Semaphore.make(Math.max(1, options.pool.max - keptForReaders))

    const patient =
      (operation: string) => (rows: Effect.Effect<ReadonlyArray<ReadonlyArray<unknown>>, SqlError.SqlError>) =>
        rows.pipe(
          Effect.mapError(failureOf(address, operation)),
          Effect.retry({ times: staleConnections, while: (error) => error.broke || isStalePlan(error) }),
          Effect.retry({ schedule: backAgain, while: isPassing }),
          inTimeOfServer
        ) as ReturnType<Query>

    const bare =
      (operation: string): Query =>
      (sql, params = []) =>
        patient(operation)(pool.use((connection) => connection.queryValues(sql, params)))

    const client = Effect.provide(connecting(PgClient.make({ ...config, maxConnections: 1 })), Reactivity.layer)

    const forTenant = (tenant: TenantId): PostgresDatabase => {
      const id = uuid(tenant)
      const own = (params: ReadonlyArray<SqlParameter>) => params.map((value) => (value === ownTenant ? id : value))

      const query =
        (operation: string): Query =>
        (sql, params = []) =>
          patient(operation)(tenantStatement(pool.get, tenant, sql, own(params)))

      /** One run of a body between BEGIN and COMMIT. Of a connection that broke there is nothing to roll back: the server has done it. */
      const run = <A, E, R>(operation: string, body: (query: Query) => Effect.Effect<A, E, R>) => {
        const failed = failureOf(address, operation)
        return Effect.scoped(
          Effect.gen(function* () {
            const shared = yield* Effect.mapError(pool.get, failed)
            return yield* Effect.uninterruptibleMask((restore) =>
              Effect.gen(function* () {
                const begun = yield* Effect.result(beginFor(shared, tenant))
                // Whose statements can be cancelled one by one.
                const connection = yield* shared.pin
                const control = (sql: string) => Effect.mapError(connection.query(sql), failed)
                const statement = (sql: string, params: ReadonlyArray<SqlParameter> = []) =>
                  Effect.mapError(connection.queryValues(sql, own(params)), failed) as ReturnType<Query>
                if (Result.isFailure(begun)) {
                  yield* Effect.ignore(control("rollback"))
                  return yield* new NotBegun({ error: failed(begun.failure) })
                }
                const exit = yield* body(statement).pipe(restore, Effect.exit)
                if (Exit.isFailure(exit)) {
                  yield* Effect.ignore(control("rollback"))
                  return yield* exit
                }
                const committed = yield* Effect.mapError(control("commit"), atCommit)
                if (committed.command === "ROLLBACK") {
                  return yield* new PostgresFailure({
                    address,
                    operation,
                    sqlState: "25P02",
                    constraint: null,
                    table: null,
                    ts: null,
                    network: null,
                    broke: false,
                    uncertain: false,
                    message: `${operation} on ${address}: the transaction had failed, and was rolled back`
                  })
                }
                return exit.value
              })
            )
          })
        )
      }

      const transaction: PostgresDatabase["transaction"] = (operation, body) =>
        Effect.clockWith((clock) =>
          run(operation, (statement) => Effect.provideService(body(statement), Clock.Clock, clock)).pipe(
            Effect.retry({ times: staleConnections, while: (error) => error instanceof NotBegun && error.error.broke }),
            Effect.mapError((error) => (error instanceof NotBegun ? error.error : error)),
            Effect.retry({
              schedule: outOfTheWay,
              while: (error) => error instanceof PostgresFailure && (isContention(error) || isStalePlan(error))
            }),
            Effect.retry({
              schedule: backAgain,
              while: (error) => error instanceof PostgresFailure && isPassing(error)
            }),
            inTimeOfServer,
            writers.withPermit
          )
        )

      return { address, tenant, query, transaction, forTenant, bare, client }
    }
    return forTenant(options.tenant ?? defaultTenant.id)
  })
