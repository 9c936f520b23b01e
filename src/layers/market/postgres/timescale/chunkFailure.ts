/** A constraint that a chunk has of its hypertable, named as people know it. */
import { Effect, Option } from "effect"
import type { PostgresDatabase } from "../../../postgres/PostgresDatabase.ts"
import { PostgresFailure } from "../../../postgres/PostgresFailure.ts"
import { text } from "../../../postgres/values.ts"

/** A chunk that was made for the rows that were refused is gone with them, so its name has to tell. */
const chunkName = /^(_hyper_\d+)_\d+_chunk$/
const select = "select table_name::text from _timescaledb_catalog.hypertable where associated_table_prefix = $1"
/** Keys of chunks are called `3_7_bars_pkey`. */
const ofChunk = /^\d+_\d+_/

/** What a commit failed with; where it was a chunk that refused, of the table that the chunk belongs to. */
export const namedByTable =
  (database: PostgresDatabase) =>
  <E>(error: E | PostgresFailure): Effect.Effect<never, E | PostgresFailure> => {
    if (!(error instanceof PostgresFailure)) return Effect.fail(error)
    const [chunk, prefix] = chunkName.exec(error.table ?? "") ?? []
    if (chunk === undefined || prefix === undefined) return Effect.fail(error)
    const { address, broke, constraint, message, network, operation, sqlState, ts, uncertain } = error
    return database
      .bare("chunk")(select, [text(prefix)])
      .pipe(
        Effect.option,
        Effect.flatMap((rows) => {
          const [row] = Option.getOrElse(rows, () => [])
          const table = row === undefined ? chunk : String(row[0])
          return Effect.fail(
            new PostgresFailure({
              address,
              broke,
              constraint: constraint?.replace(ofChunk, "") ?? null,
              message: message.replaceAll(chunk, table),
              network,
              operation,
              sqlState,
              table,
              ts,
              uncertain
            })
          )
        })
      )
  }
