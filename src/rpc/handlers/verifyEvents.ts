import { Clock, Effect, Queue, Stream } from "effect"
import type { ProvenanceStore, ProvenanceStoreError } from "../../services/ProvenanceStore.ts"
import type { VerifyEvent } from "../contract/ArchiveRpcs.ts"

/** Progress is told after so many payloads, or so many milliseconds, whichever comes first. */
const everyPayloads = 1_000
const everyMillis = 1_000
/** Events that the reader has not taken; then hashing waits for it. */
const unread = 16

/** Tells of a verification while it goes on. A reader that is slow slows it down, and one that leaves ends it. */
export const verifyEvents = (
  verify: ProvenanceStore["Service"]["verify"]
): Stream.Stream<VerifyEvent, ProvenanceStoreError> =>
  Stream.callback(
    Effect.fnUntraced(function* (queue) {
      let checked = 0
      let damaged = 0
      let told = { checked: 0, at: yield* Clock.currentTimeMillis }

      const progress = Effect.fnUntraced(function* (count: number) {
        checked = count
        const at = yield* Clock.currentTimeMillis
        if (count - told.checked < everyPayloads && at - told.at < everyMillis) return
        told = { checked, at }
        yield* Queue.offer(queue, { _tag: "Progress", checked })
      })

      yield* Stream.runForEach(verify(progress), (damage) => {
        damaged++
        return Queue.offer(queue, { _tag: "Damaged", damage })
      })
      yield* Queue.offer(queue, { _tag: "Verified", checked, damaged })
      yield* Queue.end(queue)
    }),
    { bufferSize: unread, strategy: "suspend" }
  )
