/**
 * Removing from the archive what nothing points to.
 *
 * Responsibilities: (1) marking (gcMarks.ts), which is all that a dry run does; (2) removing in this order: calls that were served
 * what another one fetched, responses, the other calls, sessions, payloads, identities, then the files whose rows are durably gone, then files that never had a row; (3) giving free pages back.
 * Queueing: one gc or compaction at a time, whichever tenant's; each step holds the writer for a few milliseconds, so appends come in between.
 *
 * Hard cases: killed anywhere it leaves an archive in order, with things in it that the next gc removes. What is marked may have come
 * to be needed since: a response that was given out is left where it is, with its call; a payload goes only where its transaction sees
 * no response of it; a file only where its transaction sees no row. SQLite checks no references in these transactions (see
 * `writeUnchecked`), so the order above is what keeps them whole. The newest response and the newest call always stay: their ids and the
 * time of the last answer are what the next ones go by.
 */
import { Clock, Effect, Stream } from "effect"
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
import { admitted, type Marks, mark, youngMillis } from "./gcMarks.ts"
import type { HandedOut } from "./HandedOut.ts"
import type { PayloadFiles } from "./PayloadFiles.ts"
import { bytesOf, Removal } from "./Removal.ts"
import * as Tallies from "./tallies.ts"

/** How long a step may remove; committing takes as long again. */
const stepMillis = 5
/** Removed with one statement. */
const statementIds = 64
const mostIds = 8 * statementIds
/** Rows looked at in a step that removes few of them. */
const stepMembers = 2_000
/** What a removed row counts for the log: mostly it is a page of its own, in an index of hashes. */
const pageEach = 44
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
  and not exists (select 1 from main.requests where identity = identities.id)
  and not exists (select 1 from main.responses where identity = identities.id)`

const nextMembers = `select operation, response from operation_responses where (operation, response) > (?, ?)
  order by operation, response limit 1 offset ${stepMembers - 1}`
const goneMembers = `delete from operation_responses where (operation, response) > (?, ?) and (operation, response) <= (?, ?)
  and not exists (select 1 from main.responses where id = operation_responses.response)`

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

  /**
   * Removes step by step; `next` gives what a step of so many rows begins with, and null at the end. A step that took long, commit and
   * all, halves those that follow.
   */
  const inSteps = Effect.fnUntraced(function* <A>(
    checkpointer: Checkpointer.Checkpointer,
    next: (most: number) => A | null,
    step: (db: SyncDatabase, from: A, timeIsUp: () => boolean) => number
  ) {
    let most = mostIds
    for (let from = next(most); from !== null; from = next(most)) {
      yield* checkpointer.room
      const begun = from
      let started = 0
      const removed = yield* database.writeUnchecked("gc", (db) => {
        started = performance.now()
        return step(db, begun, () => performance.now() - started > stepMillis)
      })
      const took = performance.now() - started
      if (took > 2 * stepMillis) most = Math.max(statementIds, most / 2)
      else if (took < stepMillis) most = Math.min(mostIds, most * 2)
      if (removed > 0) {
        yield* checkpointer.wrote(removed * pageEach)
        act("upkeep")
      }
      yield* Effect.yieldNow
    }
  })

  /** Takes what is marked away. */
  const removing = (
    checkpointer: Checkpointer.Checkpointer,
    ids: Bits,
    some: (removal: Removal, ids: ReadonlyArray<number>) => void,
    downwards = false
  ) => {
    let after = downwards ? 2 ** 31 : 0
    const next = (most: number) => {
      const found = downwards ? ids.below(after, most) : ids.above(after, most)
      return found.length === 0 ? null : found
    }
    return inSteps(checkpointer, next, (db, found, timeIsUp) => {
      const removal = new Removal(db)
      let done = 0
      while (done < found.length && (done === 0 || !timeIsUp())) {
        const these = found.slice(done, done + statementIds)
        some(removal, these)
        done += these.length
        after = these.at(-1) ?? after
      }
      removal.end()
      return done
    })
  }

  /** A publication names what it was made of; what contributed nothing it does not need. */
  const removeMemberships = Effect.gen(function* () {
    let after: readonly [operation: number, response: number] = [0, 0]
    for (;;) {
      const [operation, response] = after
      const to = yield* database.read("gc", (db) => db.prepare(nextMembers).get(operation, response))
      const upTo = [Number(to?.[0] ?? Number.MAX_SAFE_INTEGER), Number(to?.[1] ?? 0)] as const
      yield* database.writeUnchecked("gc", (db) => db.prepare(goneMembers).run(operation, response, ...upTo))
      yield* Effect.yieldNow
      if (to === undefined) return
      after = upTo
    }
  })

  const removeIdentities = Effect.fnUntraced(function* (checkpointer: Checkpointer.Checkpointer) {
    const last = yield* database.read("gc", (db) =>
      Number(db.prepare("select max(id) from identities").get()?.[0] ?? 0)
    )
    let after = 0
    const next = (most: number) => (after < last ? { from: after, upTo: after + most } : null)
    yield* inSteps(checkpointer, next, (db, { from, upTo }, timeIsUp) => {
      let removed = 0
      while (after < upTo && (after === from || !timeIsUp())) {
        removed += db.prepare(unusedIdentities).run(after, after + statementIds).changes
        after += statementIds
      }
      return removed
    })
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
      const next = payloads.above(after, mostIds)
      if (next.length === 0) return total
      total += yield* database.read("gc", (db) => Number(db.prepare(bytesOf).get(`[${next.join()}]`)?.[0] ?? 0))
      after = next.at(-1) ?? after
      yield* Effect.yieldNow
    }
  })

  const apply = Effect.fnUntraced(function* (
    { firsts, payloads, requests, responses, served, sessions }: Marks,
    tell: TellsUpkeep,
    checkpointer: Checkpointer.Checkpointer
  ) {
    const removed: Removed = { responses: 0, requests: 0, sessions: 0, payloads: 0, payloadBytes: 0 }
    const of = responses.size + requests.size + sessions.size + payloads.size
    const told = () => tell({ phase: "removing", done: removed.responses + removed.requests + removed.payloads, of })
    yield* database.write("gc", (db) => db.prepare("update tallies set removals = removals + 1").run())
    yield* removing(checkpointer, served, (removal, ids) => {
      const gone = ids.filter((id) => requests.has(id))
      removed.requests += removal.requests(gone)
      for (const id of gone) requests.delete(id)
    })
    yield* told()
    /** A response that was given out of late stays, with its call and with what it confirmed. */
    const stays = (removal: Removal, id: number): boolean => {
      if (!handedOut.has(id)) return false
      const { confirmed, request } = removal.linksOf(id)
      if (request !== null) requests.delete(request)
      // It points to a lower id, which has not come yet.
      if (confirmed !== null) handedOut.add(confirmed)
      return true
    }
    const goesWith = (response: number, request: number): boolean => {
      if (!firsts.has(response) || !requests.has(request)) return false
      requests.delete(request)
      return true
    }
    // Downwards: an answer that confirmed an earlier one goes before it, and a call with the first of its answers.
    yield* removing(
      checkpointer,
      responses,
      (removal, ids) => {
        const gone = removal.responses(
          ids.filter((id) => !stays(removal, id)),
          goesWith
        )
        removed.responses += gone.responses
        removed.requests += gone.requests
      },
      true
    )
    yield* told()
    yield* removing(checkpointer, requests, (removal, ids) => {
      removed.requests += removal.requests(ids)
    })
    yield* told()
    yield* removing(checkpointer, sessions, (removal, ids) => {
      removed.sessions += removal.sessions(ids)
    })
    yield* removing(checkpointer, payloads, (removal, ids) => {
      const gone = removal.payloads(ids)
      removed.payloads += gone.payloads
      removed.payloadBytes += gone.bytes
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
      const checkpointer = applies ? yield* Checkpointer.make(database, Checkpointer.scattered) : Checkpointer.none
      if (applies) {
        yield* files.removeLeftovers
        yield* sweep(writer, files)
        yield* Tallies.advance(writer)
      }
      yield* admitted(database, (response) => pointedTo.add(response))
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
      database.upkeep.withPermit(
        Effect.acquireUseRelease(
          Effect.sync(handedOut.hold),
          () => gc(options),
          (release) => Effect.sync(release)
        )
      )
  }
})
