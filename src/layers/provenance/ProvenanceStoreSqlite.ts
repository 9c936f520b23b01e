/**
 * The archive on one machine: `<directory>/provenance.sqlite` and, for large payloads, `<directory>/responses`.
 *
 * What it guarantees is written beside the parts that do it: GroupCommit (when a write is acknowledged), PayloadFiles and
 * append (bytes before rows), HitBuffer (what a crash may take), sessions (whose session is over), lookup and verify (bytes
 * are hashed whenever they are read).
 */
import { Effect, FileSystem, Layer, Path, type PlatformError } from "effect"
import type { TenantName } from "../../domain/Tenant.ts"
import {
  ArchiveReadOnly,
  ArchiveUnavailable,
  ProvenanceStore,
  ProvenanceStoreError
} from "../../services/ProvenanceStore.ts"
import * as LogSync from "../sqlite/LogSync.ts"
import { expectMigrated, migrate } from "../sqlite/migrate.ts"
import { open, type SqliteDatabase, SqliteFailure } from "../sqlite/SqliteDatabase.ts"
import * as AnswerSizes from "./answerSizes.ts"
import * as Append from "./append.ts"
import { archiveError } from "./archiveError.ts"
import * as Calls from "./calls.ts"
import * as Compact from "./compact.ts"
import * as GroupCommit from "./GroupCommit.ts"
import * as Gc from "./gc.ts"
import * as HandedOut from "./HandedOut.ts"
import * as HitBuffer from "./HitBuffer.ts"
import * as Listing from "./listing.ts"
import * as Lookup from "./lookup.ts"
import { migrations } from "./migrations.ts"
import * as Operations from "./operations.ts"
import * as PayloadFiles from "./PayloadFiles.ts"
import * as Redaction from "./redact.ts"
import * as Replay from "./replay.ts"
import * as Sessions from "./sessions.ts"
import * as Spool from "./spool.ts"
import * as Tallies from "./tallies.ts"
import { asTenant } from "./tenantViews.ts"
import * as Verify from "./verify.ts"

export interface ProvenanceStoreOptions {
  /** Made when it is not there. */
  readonly directory: string
  /**
   * Most bytes of a payload held in memory, 64 MiB by default. A larger one is archived only when it comes as a draft, and is
   * read as a stream.
   */
  readonly payloadLimit?: number
  /** Most pages the database may have; a test's way to a full disk. */
  readonly maxPageCount?: number
  /** Reads what is there and changes nothing: no migration, no recovery. Everything that writes fails with ArchiveReadOnly. */
  readonly readonly?: boolean
  /**
   * Syncs the log on a thread of the pool instead of within COMMIT, which stands in the event loop for as long as the disk takes. For a
   * process that does much at once: somebody who is alone is served later by a turn of the pool. False by default.
   */
  readonly syncBeside?: boolean
  /** Whose sessions, requests, responses and operations; the default tenant's unless given. Bytes are kept once for all. */
  readonly tenant?: TenantName
  /** Names of headers and parameters that are redacted beside the usual ones. */
  readonly redact?: ReadonlyArray<string>
}

const defaultPayloadLimit = 64 * 1024 * 1024

/** A writer for an archive that may only be read. */
const refusingWriter = (filename: string): GroupCommit.GroupCommit => ({
  submit: () =>
    Effect.fail(
      new SqliteFailure({
        filename,
        operation: "write",
        code: "SQLITE_READONLY",
        message: `write on ${filename}: the archive was opened to be read only`
      })
    ),
  settled: Effect.void
})

/**
 * SQLite says only that it cannot open a file; the file system knows whether that is for want of a right or of the file.
 */
const openError = Effect.fnUntraced(function* (directory: string, failure: SqliteFailure) {
  if (failure.code !== "SQLITE_CANTOPEN" && failure.code !== "SQLITE_IOERR_DELETE") return archiveError(failure)
  const fs = yield* FileSystem.FileSystem
  const allowed = yield* fs.access(directory, { readable: true, writable: true }).pipe(
    Effect.as(true),
    Effect.catch((error: PlatformError.PlatformError) => Effect.succeed(error.reason._tag === "NotFound"))
  )
  return allowed
    ? new ProvenanceStoreError({ reason: new ArchiveUnavailable({ message: failure.message }) })
    : new ProvenanceStoreError({
        reason: new ArchiveReadOnly({
          message: `${directory} cannot be written by this user (${failure.message}); give it that right, or use another data directory`
        })
      })
})

const make = Effect.fnUntraced(function* (options: ProvenanceStoreOptions) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { directory } = options
  const readonly = options.readonly === true
  const payloadLimit = options.payloadLimit ?? defaultPayloadLimit
  const redaction = Redaction.make(options.redact)

  if (!readonly) yield* Effect.mapError(fs.makeDirectory(directory, { recursive: true }), archiveError)
  const filename = path.join(directory, "provenance.sqlite")
  const opened = yield* open({
    filename,
    synchronous: "FULL",
    shrinks: true,
    readonly,
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
    ...(options.maxPageCount === undefined ? {} : { maxPageCount: options.maxPageCount })
  }).pipe(Effect.catch((failure) => Effect.flatMap(openError(directory, failure), Effect.fail)))
  const schemaVersion = yield* Effect.mapError(
    readonly ? expectMigrated(opened, migrations) : Effect.map(migrate(opened, migrations), ({ version }) => version),
    archiveError
  )

  yield* Effect.mapError(asTenant(opened), archiveError)
  const files = yield* PayloadFiles.make(directory)
  const beside = options.syncBeside === true && !readonly ? yield* LogSync.make(filename) : null
  const writer = readonly
    ? refusingWriter(filename)
    : yield* Effect.flatMap(GroupCommit.make(opened, beside), Tallies.keepUp)
  const database: SqliteDatabase =
    beside === null
      ? opened
      : { ...opened, read: (operation, f) => Effect.andThen(writer.settled, opened.read(operation, f)) }
  if (!readonly) yield* Sessions.recover(database, writer, files)
  const hits = yield* HitBuffer.make(writer)
  const handedOut = HandedOut.make()
  const compaction = yield* Compact.make(database, writer, files)

  const reading = Lookup.make(database, files, handedOut, payloadLimit)

  return ProvenanceStore.of({
    ...(yield* Sessions.make(writer, hits, redaction)),
    ...Calls.make(writer, redaction),
    recordHit: hits.record,
    draft: Spool.draft(files, Append.inlineLimit),
    append: yield* Append.make(database, writer, files, redaction, payloadLimit),
    ...reading,
    ...Listing.make(database, hits.flush, handedOut, schemaVersion),
    answerSizes: AnswerSizes.make(database),
    replay: Replay.make(database, hits.flush, handedOut, reading.open),
    verify: Verify.make(database, files, hits.flush),
    ...(yield* Gc.make({ database, writer, files, handedOut, settle: hits.flush, shrink: compaction.shrink })),
    compact: compaction.compact,
    ...Operations.make(database, writer)
  })
})

export const layer = (
  options: ProvenanceStoreOptions
): Layer.Layer<ProvenanceStore, ProvenanceStoreError, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(ProvenanceStore, make(options))
