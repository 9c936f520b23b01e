/** What is shown of the rows of one kind; the numbers are there already, so they are read when somebody asks and cost a row nothing. */
import { Effect, type Scope } from "effect"
import * as Metrics from "../../services/Metrics.ts"
import { pulled } from "../metrics/pulled.ts"
import type { RowBuffer } from "./RowBuffer.ts"

interface Shown {
  readonly buffer: RowBuffer
  /** Whether its flusher runs. */
  readonly alive: boolean
}

const count = (value: number) => ({ count: value, incremental: true })

/** While the scope lives. */
export const show = (coordinator: string, lane: Shown): Effect.Effect<void, never, Scope.Scope> =>
  Effect.all(
    [
      pulled(Metrics.batchSubmitted(coordinator), () => count(lane.buffer.taken)),
      pulled(Metrics.batchDropped(coordinator, "drop_oldest"), () => count(lane.buffer.droppedOldest)),
      pulled(Metrics.batchDropped(coordinator, "queue_full"), () => count(lane.buffer.refusedFull)),
      pulled(Metrics.batchQueueDepth(coordinator), () => ({ value: lane.buffer.held })),
      pulled(Metrics.batchWorkersAlive(coordinator), () => ({ value: lane.alive ? 1 : 0 }))
    ],
    { discard: true }
  )
