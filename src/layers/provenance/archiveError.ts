/** What the database and the file system say, as the archive's typed error. */
import { Effect, type PlatformError, Predicate } from "effect"
import {
  ArchiveFull,
  ArchiveReadOnly,
  ArchiveSchemaMismatch,
  ArchiveUnavailable,
  ProvenanceStoreError
} from "../../services/ProvenanceStore.ts"
import { isCorrupt, isFull } from "../sqlite/failureCodes.ts"
import type { SchemaMismatch } from "../sqlite/migrate.ts"
import type { SqliteFailure } from "../sqlite/SqliteDatabase.ts"

const full = (message: string) =>
  new ArchiveFull({ message: `${message}; nothing archived is lost: free some space and ask again` })
const readOnly = (message: string) =>
  new ArchiveReadOnly({ message: `${message}; give this user the right to write there, or use another data directory` })

const readOnlyCodes = new Set(["EACCES", "EPERM", "EROFS", "SQLITE_PERM", "SQLITE_AUTH"])

const reasonOf = (code: string, message: string) => {
  if (code === "ENOSPC" || code === "EDQUOT") return full(`the disk is full (${code})`)
  if (isFull(code)) return full(message)
  if (readOnlyCodes.has(code) || code.startsWith("SQLITE_READONLY")) return readOnly(message)
  if (isCorrupt(code)) {
    return new ArchiveUnavailable({
      message: `${message}; put the data directory back from a copy, or begin a new one`
    })
  }
  return new ArchiveUnavailable({ message })
}

/** The system's own code (`ENOSPC`), which the platform error keeps in its cause. */
const systemCode = (error: PlatformError.PlatformError): string => {
  const reason = error.reason
  if (reason._tag === "WriteZero") return "ENOSPC"
  if (Predicate.hasProperty(reason.cause, "code") && typeof reason.cause.code === "string") return reason.cause.code
  return reason._tag === "PermissionDenied" ? "EACCES" : reason._tag
}

/** The archive's own errors pass through. */
export const archiveError = (
  error: SqliteFailure | SchemaMismatch | PlatformError.PlatformError | ProvenanceStoreError
): ProvenanceStoreError => {
  switch (error._tag) {
    case "ProvenanceStoreError":
      return error
    case "SqliteFailure":
      return new ProvenanceStoreError({ reason: reasonOf(error.code, error.message) })
    case "SchemaMismatch":
      return new ProvenanceStoreError({ reason: new ArchiveSchemaMismatch({ message: error.message }) })
    case "PlatformError": {
      const code = systemCode(error)
      return new ProvenanceStoreError({ reason: reasonOf(code, `${error.message} (${code})`) })
    }
  }
}

export const mapArchiveError = Effect.mapError(archiveError)
