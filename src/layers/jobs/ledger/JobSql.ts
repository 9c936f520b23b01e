/**
 * The little SQL that SQLite and PostgreSQL have in common, in which the ledger of jobs is written once. Parameters are `$1`, `$2`, ...;
 * rows come as arrays. `F` is what the database itself fails with, so that its own retries see it.
 */
import type { Effect } from "effect"
import type { JobQueueError } from "../../../services/JobQueue.ts"

/** A parameter; whole numbers only. */
export type Cell =
  | { readonly _tag: "Text"; readonly value: string | null }
  | { readonly _tag: "Int"; readonly value: number | null }
  | { readonly _tag: "Uuid"; readonly value: string }

export const text = (value: string | null): Cell => ({ _tag: "Text", value })
export const int = (value: number | null): Cell => ({ _tag: "Int", value })

export type Row = ReadonlyArray<unknown>
export type Run<F> = (sql: string, cells?: ReadonlyArray<Cell>) => Effect.Effect<ReadonlyArray<Row>, F>

export interface JobSql<F> {
  /** No other process writes to the store. */
  readonly exclusive: boolean
  readonly tables: JobTables
  /** One statement that changes nothing. */
  readonly read: (operation: string) => Run<F>
  /** One transaction. */
  readonly write: <A, E>(operation: string, body: (run: Run<F>) => Effect.Effect<A, E>) => Effect.Effect<A, E | F>
  readonly asError: (failure: F | JobQueueError) => JobQueueError
}

/** What the statements need to know of a store. */
export interface JobTables {
  readonly jobs: string
  readonly runs: string
  /** Whose jobs these are. */
  readonly tenant: Cell
  /** What is added to a selection of a row that is about to be changed, which others may be about to change, too. */
  readonly skipLocked: string
}
