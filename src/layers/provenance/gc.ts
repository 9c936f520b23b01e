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
import * as Checkpointer from "../sqlite/Checkpointer.ts"
import type { SqliteDatabase, SqliteFailure, SyncDatabase } from "../sqlite/SqliteDatabase.ts"
import { mapArchiveError } from "./archiveError.ts"
import { Bits } from "./Bits.ts"
import { isSpokenOf, sweep } from "./discardedFiles.ts"
import type { GroupCommit } from "./GroupCommit.ts"
import { type Marks, mark, youngMillis } from "./gcMarks.ts"
import type { HandedOut } from "./HandedOut.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import { bytesOf, Removal } from "./Removal.ts"
import * as Tallies from "./tallies.ts"

/** How long a step may remove. */
const stepMillis = 5
const stepIds = 500
const stepIdentities = 200
/** What a removed row counts for the log: its pages lie anywhere, a few in each of its indexes. */
const scattered = 80
const stepFiles = 32
/** KiB of pages that the writer keeps while a gc removes: the indexes of a million hashes; and at other times. */
const wideCache = 131_072
const usualCache = 16_384

interface Removed {
  responses: number
  requests: number
  sessions: number
  payloads: number
  payloadBytes: number
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
  readonly shrink: (tell: TellsUpkeep, checkpointer: Checkpointer.Checkpointer) => Effect.Effect<void, SqliteFailure>
}

export const make = Effect.fnUntraced(function* ({ database, files, handedOut, settle, shrink, writer }: GcParts) {
  const act = yield* FaultPoint
  const alone = yield* Semaphore.make(1)

  /** Takes what is marked away, as many in a transaction as the time allows. */
  const removing = Effect.fnUntraced(function* (
    checkpointer: Checkpointer.Checkpointer,
    ids: Bits,
    each: (removal: Removal, id: number) => void,
    downwards = false
  ) {
    let after = downwards ? 2 ** 31 : 0
    for (;;) {
      const next = downwards ? ids.below(after, stepIds) : ids.above(after, stepIds)
      if (next.length === 0) return
      yield* checkpointer.room
      let seen = 0
      after = yield* database.writeUnchecked("gc", (db) => {
        const started = performance.now()
        const removal = new Removal(db)
        let last = after
        for (const id of next) {
          each(removal, id)
          last = id
          seen++
          if (performance.now() - started > stepMillis) break
        }
        removal.end()
        return last
      })
      yield* checkpointer.wrote(seen * scattered)
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

  const removeIdentities = Effect.fnUntraced(function* (checkpointer: Checkpointer.Checkpointer) {
    const last = yield* database.read("gc", (db) =>
      Number(db.prepare("select max(id) from identities").get()?.[0] ?? 0)
    )
    for (let from = 0; from < last; from += stepIdentities) {
      yield* checkpointer.room
      const { changes } = yield* database.writeUnchecked("gc", (db) =>
        db.prepare(unusedIdentities).run(from, from + stepIdentities)
      )
      yield* checkpointer.wrote(changes * scattered)
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

  const apply = Effect.fnUntraced(function* (
    { payloads, requests, responses, sessions }: Marks,
    tell: TellsUpkeep,
    checkpointer: Checkpointer.Checkpointer
  ) {
    const removed: Removed = { responses: 0, requests: 0, sessions: 0, payloads: 0, payloadBytes: 0 }
    const of = responses.size + requests.size + sessions.size + payloads.size
    const told = () => tell({ phase: "removing", done: removed.responses + removed.requests + removed.payloads, of })
    yield* database.write("gc", (db) => db.prepare("update tallies set removals = removals + 1").run())
    yield* removing(checkpointer, requests, (removal, id) => {
      if (removal.servedRequest(id)) removed.requests++
    })
    // Downwards: an answer that confirmed an earlier one goes before it.
    yield* removing(
      checkpointer,
      responses,
      (removal, id) => {
        if (handedOut.has(id)) {
          const { confirmed, request } = removal.linksOf(id)
          if (request !== null) requests.delete(request)
          // It points to a lower id, which has not come yet.
          if (confirmed !== null) handedOut.add(confirmed)
        } else if (removal.response(id)) removed.responses++
      },
      true
    )
    yield* told()
    yield* removing(checkpointer, requests, (removal, id) => {
      if (removal.request(id)) removed.requests++
    })
    yield* told()
    yield* removing(checkpointer, sessions, (removal, id) => {
      if (removal.session(id)) removed.sessions++
    })
    yield* removing(checkpointer, payloads, (removal, id) => {
      const bytes = removal.payload(id)
      if (bytes === null) return
      removed.payloads++
      removed.payloadBytes += bytes
    })
    yield* told()
    yield* removeMemberships
    yield* removeIdentities(checkpointer)
    return removed
  })

  const cache = (kibibytes: number) =>
    database.write("gc", (db) => void db.prepare(`pragma cache_size = -${kibibytes}`).run())

  /** Removals lie anywhere in the indexes of hashes: where those do not stay in memory, each row is a page read. */
  const widened = Effect.acquireRelease(cache(wideCache), () => Effect.ignore(cache(usualCache)))

  const run = Effect.fnUntraced(
    function* (
      {
        apply: applies,
        retention,
        tell
      }: { readonly apply: boolean; readonly retention: Retention; readonly tell: TellsUpkeep },
      pointedTo: Bits
    ) {
      if (applies) yield* widened
      const checkpointer = applies ? yield* Checkpointer.make(database) : Checkpointer.none
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
        ? yield* apply(marks, tell, checkpointer)
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
      if (applies) yield* shrink(tell, checkpointer)
      const report: GcReport = { applied: applies, ...removed, orphanFiles, keptByReference: marks.keptByReference }
      return report
    },
    Effect.scoped,
    mapArchiveError
  )

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
