import { accessSync, constants, existsSync } from "node:fs"
import { dirname } from "node:path"
import { Effect, Result } from "effect"
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
import { isCorrupt, isFull } from "../sqlite/failureCodes.ts"
import type { SchemaMismatch } from "../sqlite/migrate.ts"
import type { SqliteFailure } from "../sqlite/SqliteDatabase.ts"

const mayWriteBeside = (filename: string): boolean =>
  Result.isSuccess(Result.try(() => accessSync(dirname(filename), constants.W_OK)))

const reasonOf = (error: SqliteFailure | SchemaMismatch): MarketStoreError["reason"] => {
  if (error._tag === "SchemaMismatch") return new StoreSchemaMismatch({ message: error.message })
  const { code, filename, message } = error
  if (isFull(code)) {
    return new StoreFull({ message: `${message}; free some space and try again, what was committed is kept` })
  }
  const cannotOpen = code.startsWith("SQLITE_CANTOPEN")
  const forbidden = code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM"
  if (forbidden || (cannotOpen && existsSync(dirname(filename)) && !mayWriteBeside(filename))) {
    return new StoreReadOnly({ message: `${message}; this user may not write ${dirname(filename)}` })
  }
  if (isCorrupt(code)) {
    return new StoreUnavailable({
      message: `${message}; move ${filename} away: it is made again from the archive, without asking a vendor`
    })
  }
  return new StoreUnavailable({
    message: cannotOpen ? `${message}; check that ${dirname(filename)} exists and may be used` : message
  })
}

export const fromDatabase = (error: SqliteFailure | SchemaMismatch | MarketStoreError): MarketStoreError =>
  error._tag === "MarketStoreError" ? error : new MarketStoreError({ reason: reasonOf(error) })

/** Turns what the database says into the store's own error; the store's own pass through. */
export const mapStoreError = Effect.mapError(fromDatabase)

export const invalidRow = (index: number, ts: number, message: string): MarketStoreError =>
  new MarketStoreError({ reason: new InvalidRow({ index, ts, message }) })

export const invalidCoverage = (message: string): MarketStoreError =>
  new MarketStoreError({ reason: new InvalidCoverage({ message }) })

export const generationGone = (message: string): MarketStoreError =>
  new MarketStoreError({ reason: new GenerationGone({ message }) })
