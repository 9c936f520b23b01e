import { Effect, Queue, Stream } from "effect"
import type { RangeAnswer, ReadProgress, StitchingCacheError, TickAnswer } from "../../services/StitchingCache.ts"
import type { RangeReport, ReadEvent } from "../contract/RangeReport.ts"

const ofBars = ({ bars: _, ...report }: RangeAnswer): RangeReport => report
const ofTicks = ({ rows: _, ...report }: TickAnswer): RangeReport => report

/** An answer as it is told to a client: all but its rows. */
export const reportOf = (answer: RangeAnswer | TickAnswer): RangeReport =>
  "bars" in answer ? ofBars(answer) : ofTicks(answer)

/** Room for events that the reader has not taken; when it is full the oldest goes, which the next one makes worthless. */
const unread = 16

/**
 * Tells of a range while it is being had. A reader that is slow, or has stopped, holds nothing up and costs 16 events: it misses
 * progress, and never the answer, which is told last. One that leaves ends the reading.
 */
export const readEvents = (
  have: (
    progress: (progress: ReadProgress) => Effect.Effect<void>
  ) => Effect.Effect<RangeAnswer | TickAnswer, StitchingCacheError>
): Stream.Stream<ReadEvent, StitchingCacheError> =>
  Stream.callback(
    (queue) =>
      have(({ done, of, rows }) => Queue.offer(queue, { _tag: "Progress", done, of, rows })).pipe(
        Effect.flatMap((answer) => Queue.offer(queue, { _tag: "Answered", report: reportOf(answer) })),
        Effect.andThen(Queue.end(queue))
      ),
    { bufferSize: unread, strategy: "sliding" }
  )
