/** What is shown of streams, by vendor and kind. The numbers are there already, and are read when somebody asks. */
import { Effect, type Scope } from "effect"
import type { StreamKind } from "../../domain/streams/StreamKind.ts"
import * as Metrics from "../../services/Metrics.ts"
import { pulled } from "../metrics/pulled.ts"
import type { Tally } from "./Tally.ts"

const count = (value: number) => ({ count: value, incremental: true })

/** While the scope lives. `depth`: rows that wait for consumers; `consumers`: those that there are. */
export const showTally = (vendor: string, kind: StreamKind, tally: Tally): Effect.Effect<void, never, Scope.Scope> =>
  Effect.all(
    [
      pulled(Metrics.streamRows(vendor, kind, "in"), () => count(tally.rowsIn)),
      pulled(Metrics.streamRows(vendor, kind, "out"), () => count(tally.rowsOut)),
      pulled(Metrics.streamRows(vendor, kind, "dropped"), () => count(tally.rowsDropped)),
      pulled(Metrics.streamRows(vendor, kind, "repeated"), () => count(tally.rowsRepeated)),
      pulled(Metrics.streamGaps(vendor, kind), () => count(tally.gaps)),
      pulled(Metrics.streamGapSeconds(vendor, kind), () => count(tally.gapSeconds)),
      pulled(Metrics.streamRepairs(vendor, kind, "repaired"), () => count(tally.repaired)),
      pulled(Metrics.streamRepairs(vendor, kind, "unrepairable"), () => count(tally.unrepairable)),
      pulled(Metrics.streamOpened(vendor, kind), () => count(tally.opened)),
      pulled(Metrics.streamSlowConsumers(vendor, kind), () => count(tally.slowConsumers)),
      pulled(Metrics.streamLagSeconds(vendor, kind), () => ({ value: tally.lagSeconds }))
    ],
    { discard: true }
  )

export const showConsumers = (consumers: () => number, depth: () => number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.all(
    [
      pulled(Metrics.streamConsumers, () => ({ value: consumers() })),
      pulled(Metrics.streamQueueDepth, () => ({ value: depth() }))
    ],
    { discard: true }
  )
