/**
 * Removing from the archive what nothing points to.
 *
 * Responsibilities: (1) marking (gcMarks.ts), which is all that a dry run does; (2) removing in this order: calls that were served
 * what another one fetched, responses, the other calls, sessions, payloads, identities, then the files whose rows are durably gone, then files that never had a row; (3) giving free pages back.
 * Queueing: one gc at a time; each step holds the writer for a few milliseconds, so appends come in between.
 *
 * Hard cases: killed anywhere it leaves an archive in order, with things in it that the next gc removes. What is marked may have come
 * to be needed since: a response that was given out is left where it is, with its call; a payload goes only where its transaction sees
 * no response of it; a file only where its transaction sees no row. SQLite checks no references in these transactions (see
 * `writeUnchecked`), so the order above is what keeps them whole. The newest response and the newest call always stay: their ids and the
 * time of the last answer are what the next ones go by.
 */
import { Clock, Effect, Semaphore, Stream } from "effect"
import type {
  GcOptions,
  GcReport,
  ProvenanceStoreError,
  Retention,
  TellsUpkeep
} from "../../services/ProvenanceStore.ts"
import { FaultPoint } from "../FaultPoint.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { mapArchiveError } from "./archiveError.ts"
import { Bits } from "./Bits.ts"
import { encodingOf } from "./compression.ts"
import { discard, isSpokenOf, sweep } from "./discardedFiles.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { type Marks, mark, youngMillis } from "./gcMarks.ts"
import type { HandedOut } from "./HandedOut.ts"
import { hex } from "./hex.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import * as Tallies from "./tallies.ts"

/** How long a step may remove. */
const stepMillis = 5
const stepIds = 500
const stepFiles = 32

interface Removed {
  responses: number
  requests: number
  sessions: number
  payloads: number
  payloadBytes: number
}

const bytesOf = `select sha256, body is null, encoding, size, ${Tallies.storedSize} from payloads where id = ?`

const removeResponse = (db: SyncDatabase, id: number): boolean => {
  const found = db.prepare("select status <> 'ok', iif(payload is null, 0, size) from responses where id = ?").get(id)
  if (found === undefined) return false
  // The call that it answered goes after it.
  db.prepare(
    "update requests set response = null where response = ? and id = (select request from responses where id = ?)"
  ).run(id, id)
  db.prepare("delete from responses where id = ?").run(id)
  db.prepare(
    `update tallies set responses = responses - 1, failed_responses = failed_responses - ?, response_bytes = response_bytes - ?
     where up_to_response >= ?`
  ).run(Number(found[0]), Number(found[1]), id)
  return true
}

const removeRequest = (db: SyncDatabase, id: number): boolean => {
  const found = db.prepare("select outcome = 'hit' from requests where id = ?").get(id)
  if (found === undefined) return false
  db.prepare("delete from requests where id = ?").run(id)
  db.prepare("update tallies set requests = requests - 1, hits = hits - ? where up_to_request >= ?").run(
    Number(found[0]),
    id
  )
  return true
}

/** A call that made no attempt of its own. */
const wasServed = (db: SyncDatabase, id: number): boolean =>
  db.prepare("select 1 from requests where id = ? and outcome in ('hit', 'shared')").get(id) !== undefined

const removeSession = (db: SyncDatabase, id: number): boolean =>
  db
    .prepare("delete from sessions where id = ? and not exists (select 1 from requests where session = sessions.id)")
    .run(id).changes > 0

/** The bytes that it took; null where it stays. Its id may be used again, so the sums must not stand above the highest. */
const removePayload = (db: SyncDatabase, id: number): number | null => {
  if (db.prepare("select 1 from responses where payload = ?").get(id) !== undefined) return null
  const found = db.prepare(bytesOf).get(id)
  if (found === undefined) return null
  const [hash, isFile, code, size, stored] = found
  if (isFile === 1) discard(db, hex(hash) ?? "", encodingOf(code))
  db.prepare("delete from payloads where id = ?").run(id)
  db.prepare(
    `update tallies set payloads = payloads - 1, payload_bytes = payload_bytes - ?, stored_bytes = stored_bytes - ?
     where up_to_payload >= ?`
  ).run(Number(size), Number(stored), id)
  db.prepare("update tallies set up_to_payload = min(up_to_payload, coalesce((select max(id) from payloads), 0))").run()
  return Number(stored)
}

const unusedIdentities = `delete from identities where id > ? and id <= ?
  and not exists (select 1 from requests where identity = identities.id)
  and not exists (select 1 from responses where identity = identities.id)`

const goneMembers = `delete from operation_responses where operation = ?
  and not exists (select 1 from responses where id = operation_responses.response)`

export interface GcParts {
  readonly database: SqliteDatabase
  readonly writer: GroupCommit
  readonly files: PayloadFiles
  readonly handedOut: HandedOut
  readonly settle: Effect.Effect<void>
  /** Gives free pages back to the disk. */
  readonly shrink: (tell: TellsUpkeep) => Effect.Effect<void, SqliteFailure>
}

export const make = Effect.fnUntraced(function* ({ database, files, handedOut, settle, shrink, writer }: GcParts) {
  const act = yield* FaultPoint
  const alone = yield* Semaphore.make(1)

  /** Takes what is marked away, as many in a transaction as the time allows. */
  const removing = Effect.fnUntraced(function* (
    ids: Bits,
    each: (db: SyncDatabase, id: number) => void,
    downwards = false
  ) {
    let after = downwards ? 2 ** 31 : 0
    for (;;) {
      const next = downwards ? ids.below(after, stepIds) : ids.above(after, stepIds)
      if (next.length === 0) return
      after = yield* database.writeUnchecked("gc", (db) => {
        const started = performance.now()
        let last = after
        for (const id of next) {
          each(db, id)
          last = id
          if (performance.now() - started > stepMillis) break
        }
        return last
      })
      act("upkeep")
      yield* Effect.yieldNow
    }
  })

  /** A publication names what it was made of; what contributed nothing it does not need. */
  const removeMemberships = Effect.gen(function* () {
    const last = yield* database.read("gc", (db) =>
      Number(db.prepare("select max(id) from operations").get()?.[0] ?? 0)
    )
    for (let operation = 1; operation <= last; operation++) {
      yield* database.writeUnchecked("gc", (db) => db.prepare(goneMembers).run(operation))
      yield* Effect.yieldNow
    }
  })

  const removeIdentities = Effect.gen(function* () {
    const last = yield* database.read("gc", (db) =>
      Number(db.prepare("select max(id) from identities").get()?.[0] ?? 0)
    )
    for (let from = 0; from < last; from += stepIds) {
      yield* database.writeUnchecked("gc", (db) => db.prepare(unusedIdentities).run(from, from + stepIds))
      yield* Effect.yieldNow
    }
  })

  /** Files that no row speaks of: of a process that was killed between the file and its row. A young one may get its row yet. */
  const orphans = Effect.fnUntraced(function* (apply: boolean) {
    let found = 0
    for (const shard of yield* files.shards) {
      const there = yield* files.inShard(shard)
      for (let at = 0; at < there.length; at += stepFiles) {
        const some = there.slice(at, at + stepFiles)
        const unspoken = (db: SyncDatabase) =>
          some.filter(
            ({ encoding, sha256 }) => files.ageSync(sha256, encoding) > youngMillis && !isSpokenOf(db, sha256, encoding)
          )
        const gone = apply
          ? yield* writer.submit("durable", (db) => {
              const orphaned = unspoken(db)
              for (const { encoding, sha256 } of orphaned) files.removeSync(sha256, encoding)
              return orphaned
            })
          : yield* database.read("gc", unspoken)
        found += gone.length
        yield* Effect.yieldNow
      }
    }
    return found
  })

  const bytesOfPayloads = Effect.fnUntraced(function* (payloads: Bits) {
    let total = 0
    let after = 0
    for (;;) {
      const next = payloads.above(after, stepIds)
      if (next.length === 0) return total
      total += yield* database.read("gc", (db) =>
        next.reduce((sum, id) => sum + Number(db.prepare(bytesOf).get(id)?.[4] ?? 0), 0)
      )
      after = next.at(-1) ?? after
      yield* Effect.yieldNow
    }
  })

  const apply = Effect.fnUntraced(function* ({ payloads, requests, responses, sessions }: Marks, tell: TellsUpkeep) {
    const removed: Removed = { responses: 0, requests: 0, sessions: 0, payloads: 0, payloadBytes: 0 }
    const of = responses.size + requests.size + sessions.size + payloads.size
    const told = () => tell({ phase: "removing", done: removed.responses + removed.requests + removed.payloads, of })
    yield* database.write("gc", (db) => db.prepare("update tallies set removals = removals + 1").run())
    yield* removing(requests, (db, id) => {
      if (wasServed(db, id) && removeRequest(db, id)) removed.requests++
    })
    // Downwards: an answer that confirmed an earlier one goes before it.
    yield* removing(
      responses,
      (db, id) => {
        if (handedOut.has(id)) {
          const [request, confirmed] =
            db.prepare("select request, revalidated from responses where id = ?").get(id) ?? []
          if (typeof request === "number") requests.delete(request)
          // It points to a lower id, which has not come yet.
          if (typeof confirmed === "number") handedOut.add(confirmed)
        } else if (removeResponse(db, id)) removed.responses++
      },
      true
    )
    yield* told()
    yield* removing(requests, (db, id) => {
      if (removeRequest(db, id)) removed.requests++
    })
    yield* told()
    yield* removing(sessions, (db, id) => {
      if (removeSession(db, id)) removed.sessions++
    })
    yield* removing(payloads, (db, id) => {
      const bytes = removePayload(db, id)
      if (bytes === null) return
      removed.payloads++
      removed.payloadBytes += bytes
    })
    yield* told()
    yield* removeMemberships
    yield* removeIdentities
    return removed
  })

  const run = Effect.fnUntraced(function* (
    {
      apply: applies,
      retention,
      tell
    }: { readonly apply: boolean; readonly retention: Retention; readonly tell: TellsUpkeep },
    pointedTo: Bits
  ) {
    if (applies) {
      yield* files.removeLeftovers
      yield* sweep(writer, files)
      yield* Tallies.advance(writer)
    }
    // What was admitted into a series is needed to come to the same again.
    yield* database.read("gc", (db) => {
      for (const [id] of db.prepare("select response from operations where response is not null").all()) {
        pointedTo.add(Number(id))
      }
    })
    const now = yield* Clock.currentTimeMillis
    const { storedBytes } = yield* Tallies.total(database)
    const marks = yield* mark(database, { retention, tell }, pointedTo, now, storedBytes)
    const removed: Removed = applies
      ? yield* apply(marks, tell)
      : {
          responses: marks.responses.size,
          requests: marks.requests.size,
          sessions: marks.sessions.size,
          payloads: marks.payloads.size,
          payloadBytes: yield* bytesOfPayloads(marks.payloads)
        }
    // The first of these is committed durably, and with it whatever was removed before.
    if (applies) yield* sweep(writer, files)
    const orphanFiles = yield* orphans(applies)
    if (applies) yield* shrink(tell)
    const report: GcReport = { applied: applies, ...removed, orphanFiles, keptByReference: marks.keptByReference }
    return report
  }, mapArchiveError)

  const gc = Effect.fn("ProvenanceStore.gc")(function* <E>({ apply, progress, referenced, retention }: GcOptions<E>) {
    yield* settle
    const pointedTo = new Bits()
    yield* Stream.runForEachArray(referenced, (ids) =>
      Effect.sync(() => {
        for (const id of ids) pointedTo.add(id)
      })
    )
    return yield* run({ apply, retention, tell: progress ?? (() => Effect.void) }, pointedTo)
  })

  return {
    gc: <E>(options: GcOptions<E>): Effect.Effect<GcReport, ProvenanceStoreError | E> =>
      alone.withPermit(
        Effect.acquireUseRelease(
          Effect.sync(handedOut.hold),
          () => gc(options),
          (release) => Effect.sync(release)
        )
      )
  }
})
