/**
 * Calls that the archive answered, written in groups.
 *
 * Responsibilities: a hit costs a push to an array; rows are written when `flushRows` have gathered, a second after the first
 * of them, before anything is listed, when a session closes, and when the archive closes. Queueing: bounded: the caller who
 * fills the buffer takes it away and waits until it is committed, so a flood of hits goes at the pace of the disk.
 *
 * Hard cases: SIGKILL loses at most what has gathered. When a group cannot be written (a full disk) it is dropped with a
 * warning: what it records is that bytes were served which are in the archive anyway. A hit of a response that is gone is left out.
 */
import { Effect, Latch, type Scope } from "effect"
import type { NewRequest } from "../../services/ProvenanceStore.ts"
import { wholeMillis } from "../wholeMillis.ts"
import { insertHit } from "./calls.ts"
import type { GroupCommit } from "./GroupCommit.ts"

const flushRows = 256
const flushAfter = "1 second"

interface Hit {
  readonly request: NewRequest
  readonly response: number
  readonly at: number
}

export interface HitBuffer {
  readonly record: (request: NewRequest, response: number) => Effect.Effect<void>
  /** Returns when what had gathered is in the database. */
  readonly flush: Effect.Effect<void>
}

export const make: (writer: GroupCommit) => Effect.Effect<HitBuffer, never, Scope.Scope> = Effect.fnUntraced(function* (
  writer: GroupCommit
) {
  let gathered: Array<Hit> = []
  let writing = 0
  const some = Latch.makeUnsafe(false)

  const flush = Effect.suspend(() => {
    if (gathered.length === 0 && writing === 0) return Effect.void
    const hits = gathered
    writing += 1
    gathered = []
    some.closeUnsafe()
    return writer
      .submit("relaxed", (db) => {
        for (const hit of hits) insertHit(db, hit.request, hit.response, hit.at)
      })
      .pipe(
        Effect.catch((failure) => Effect.logWarning(`${hits.length} cache hits were not recorded: ${failure.message}`)),
        Effect.ensuring(
          Effect.sync(() => {
            writing -= 1
          })
        ),
        Effect.uninterruptible
      )
  })

  yield* some.await.pipe(
    Effect.andThen(Effect.sleep(flushAfter)),
    Effect.andThen(flush),
    Effect.forever,
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => flush)

  const record: HitBuffer["record"] = (request, response) =>
    Effect.flatMap(wholeMillis, (at) => {
      gathered.push({ request, response, at })
      if (gathered.length === 1) some.openUnsafe()
      return gathered.length >= flushRows ? flush : Effect.void
    })

  return { record, flush }
})
