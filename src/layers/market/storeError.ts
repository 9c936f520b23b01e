import { Effect } from "effect"
import {
  GenerationGone,
  InvalidCoverage,
  InvalidRow,
  MarketStoreError,
  StoreFull,
  StoreReadOnly,
  StoreSchemaMismatch,
  StoreUnavailable
} from "../../services/MarketStore.ts"
import type { SchemaMismatch } from "../sqlite/migrate.ts"
import type { SqliteFailure } from "../sqlite/SqliteDatabase.ts"

const reasonOf = (error: SqliteFailure | SchemaMismatch): MarketStoreError["reason"] => {
  if (error._tag === "SchemaMismatch") return new StoreSchemaMismatch({ message: error.message })
  const { code, message } = error
  if (code === "SQLITE_FULL") {
    return new StoreFull({ message: `${message}; free some space and try again, what was committed is kept` })
  }
  if (code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM" || code === "EACCES") {
    return new StoreReadOnly({ message: `${message}; this user may not write the data directory` })
  }
  if (code.startsWith("SQLITE_CANTOPEN")) {
    return new StoreUnavailable({ message: `${message}; check that the data directory exists and may be used` })
  }
  return new StoreUnavailable({ message })
}

const fromDatabase = (error: SqliteFailure | SchemaMismatch | MarketStoreError): MarketStoreError =>
  error._tag === "MarketStoreError" ? error : new MarketStoreError({ reason: reasonOf(error) })

/** Turns what the database says into the store's own error; the store's own pass through. */
export const mapStoreError = Effect.mapError(fromDatabase)

export const invalidRow = (index: number, ts: number, message: string): MarketStoreError =>
  new MarketStoreError({ reason: new InvalidRow({ index, ts, message }) })

export const invalidCoverage = (message: string): MarketStoreError =>
  new MarketStoreError({ reason: new InvalidCoverage({ message }) })

export const generationGone = (message: string): MarketStoreError =>
  new MarketStoreError({ reason: new GenerationGone({ message }) })
