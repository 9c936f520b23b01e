/** How PostgreSQL is used: what the environment says, else what is sensible for one process. */
import { Config, Schema } from "effect"
import { WriteMode } from "../../domain/WriteMode.ts"

const natural = (name: string, otherwise: number, least: number) =>
  Config.withDefault(
    Config.schema(
      Schema.NumberFromString.pipe(Schema.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(least))),
      name
    ),
    otherwise
  )

/**
 * `TAPESTRY_PG_POOL_MIN` and `TAPESTRY_PG_POOL_MAX`: connections (0 and 10; three at least); of them two are kept for readers.
 * `TAPESTRY_PG_STATEMENT_TIMEOUT`: milliseconds after which the server gives up a statement (60,000; 0 never).
 * `TAPESTRY_PG_APPLICATION_NAME`: what pg_stat_activity shows (`tapestry`).
 * `TAPESTRY_PG_WRITE_MODE`: see WriteMode; looked at and not used.
 */
export const PostgresSettings = Config.all({
  min: natural("TAPESTRY_PG_POOL_MIN", 0, 0),
  max: natural("TAPESTRY_PG_POOL_MAX", 10, 3),
  statementTimeout: natural("TAPESTRY_PG_STATEMENT_TIMEOUT", 60_000, 0),
  applicationName: Config.withDefault(Config.String("TAPESTRY_PG_APPLICATION_NAME"), "tapestry"),
  writeMode: Config.withDefault(Config.schema(WriteMode, "TAPESTRY_PG_WRITE_MODE"), "auto")
})
