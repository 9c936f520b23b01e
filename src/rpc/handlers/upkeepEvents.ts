import { Effect, Queue, Stream } from "effect"
import type { TellsUpkeep, UpkeepProgress } from "../../services/ProvenanceStore.ts"

/** Events that the reader has not taken; when they are too many the oldest goes, which the next one makes worthless. */
const unread = 16

/** Tells of long work while it goes on, and of what it did, last. A reader that is slow holds nothing up; one that leaves ends it. */
export const upkeepEvents = <A, E>(
  work: (progress: TellsUpkeep) => Effect.Effect<A, E>
): Stream.Stream<({ readonly _tag: "Progress" } & UpkeepProgress) | { readonly _tag: "Done"; readonly report: A }, E> =>
  Stream.callback(
    (queue) =>
      work((progress) => Queue.offer(queue, { _tag: "Progress", ...progress })).pipe(
        Effect.flatMap((report) => Queue.offer(queue, { _tag: "Done", report })),
        Effect.andThen(Queue.end(queue))
      ),
    { bufferSize: unread, strategy: "sliding" }
  )
