/**
 * The one file between @effect/sql-pg and the rest: a pool of connections, statements that give rows as arrays, transactions.
 *
 * Responsibilities: settings of the connections, the driver's errors as values without secrets. Queueing: each statement outside a
 * transaction borrows a connection, each transaction has one for itself; who finds none free waits, first come first served.
 * Transactions leave `keptForReaders` connections alone, so that readers never wait for writers that wait for each other.
 *
 * Hard cases: a transaction whose body fails, dies or is interrupted is rolled back; a COMMIT that the server answers with ROLLBACK is
 * a failure; a connection that broke is not used again. (The client's own transactions die where the rollback fails, as it does on
 * a connection that broke, and hide what went wrong; so these are ours.) A transaction that was in another one's way (40001, 40P01) is run again, which
 * is safe: nothing of it is there. So is, after longer pauses, one whose connection broke before COMMIT, or whose server has no connection
 * left, stops or starts. One whose COMMIT got no answer is not: it may have been done. A connection that was cut off while it
 * was idle is found out by the next who gets it: what has not begun, or only reads, is tried on another.
 */
import type { ConnectionOptions } from "node:tls"
import { PgClient } from "@effect/sql-pg"
import { Clock, Data, Effect, Exit, Predicate, type Redacted, Schedule, type Scope, Semaphore } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlClient } from "effect/sql"
import { type PostgresAddress, showAddress } from "./PostgresAddress.ts"
import { atCommit, failureOf, isContention, isPassing, PostgresFailure } from "./PostgresFailure.ts"
import { type SqlParameter, types } from "./values.ts"

export type PostgresRow = ReadonlyArray<number | string | Uint8Array | null>

/** Runs a statement; rows are arrays of columns. */
export type Query = (
  sql: string,
  params?: ReadonlyArray<SqlParameter>
) => Effect.Effect<ReadonlyArray<PostgresRow>, PostgresFailure>

export interface PostgresDatabase {
  /** `host:port/database`. */
  readonly address: string
  /** One statement, which sees one state of the database. */
  readonly query: (operation: string) => Query
  /** Commits when the body succeeds, else rolls back; runs the body again when another transaction was in its way. */
  readonly transaction: <A, E, R>(
    operation: string,
    body: (query: Query) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | PostgresFailure, R>
  /** For migrations. */
  readonly client: SqlClient.SqlClient
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
    const client = yield* PgClient.make({
      url: options.url,
      username: options.address.user,
      database: options.address.database,
      ssl: options.tls,
      applicationName: options.applicationName,
      minConnections: options.pool.min,
      maxConnections: options.pool.max,
      types: types(),
      startupParameters: {
        statement_timeout: String(options.statementTimeout),
        // What is read does not depend on where the server stands.
        timezone: "UTC",
        ...(options.readonly === true ? { default_transaction_read_only: "on" } : {})
      }
    }).pipe(
      Effect.provide(Reactivity.layer),
      Effect.mapError(failureOf(address, "connect")),
      Effect.retry({ schedule: backAgain, while: isPassing }),
      // Connections, too, age in the time of the server.
      inTimeOfServer
    )
    const writers = yield* Semaphore.make(Math.max(1, options.pool.max - keptForReaders))

    const query =
      (operation: string): Query =>
      (sql, params = []) =>
        client
          .unsafe(sql, params)
          .values.pipe(
            Effect.mapError(failureOf(address, operation)),
            Effect.retry({ times: staleConnections, while: ({ broke }) => broke }),
            Effect.retry({ schedule: backAgain, while: isPassing }),
            inTimeOfServer
          ) as ReturnType<Query>

    /** One run of a body between BEGIN and COMMIT. Of a connection that broke there is nothing to roll back: the server has done it. */
    const run = <A, E, R>(operation: string, body: (query: Query) => Effect.Effect<A, E, R>) => {
      const failed = failureOf(address, operation)
      return Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* Effect.mapError(client.reserve, failed)
          const control = (sql: string) => Effect.mapError(connection.executeRaw(sql, []), failed)
          const statement = (sql: string, params: ReadonlyArray<SqlParameter> = []) =>
            Effect.mapError(connection.executeValues(sql, params), failed) as ReturnType<Query>
          return yield* Effect.uninterruptibleMask((restore) =>
            Effect.gen(function* () {
              yield* Effect.mapError(control("begin"), (error) => new NotBegun({ error }))
              const exit = yield* body(statement).pipe(
                Effect.provideService(client.transactionService, [connection, 0]),
                restore,
                Effect.exit
              )
              if (Exit.isFailure(exit)) {
                yield* Effect.ignore(control("rollback"))
                return yield* exit
              }
              const committed = yield* Effect.mapError(control("commit"), atCommit)
              if (Predicate.hasProperty(committed, "command") && committed.command === "ROLLBACK") {
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
            while: (error) => error instanceof PostgresFailure && isContention(error)
          }),
          Effect.retry({
            schedule: backAgain,
            while: (error) => error instanceof PostgresFailure && isPassing(error)
          }),
          inTimeOfServer,
          writers.withPermit
        )
      )

    return { address, query, transaction, client }
  })
