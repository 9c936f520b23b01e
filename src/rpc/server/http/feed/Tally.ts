/** What the feeds did, as the metrics show it under the names of the system that they replace. */
import { Effect, type Scope } from "effect"
import { pulled } from "../../../../layers/metrics/pulled.ts"
import * as Metrics from "../../../../services/Metrics.ts"
import { type FeedKind, feedKinds } from "./FeedTarget.ts"

export interface FeedTally {
  readonly clients: { [K in FeedKind]: number }
  sent: number
  readonly dropped: { [K in Metrics.FeedDropReason]: number }
}

const count = (value: number) => ({ count: value, incremental: true })

/** Shown while the scope lives. */
export const make: Effect.Effect<FeedTally, never, Scope.Scope> = Effect.gen(function* () {
  const tally: FeedTally = {
    clients: { quotes: 0, depth: 0, portfolio: 0 },
    sent: 0,
    dropped: { conflated: 0, queue_full: 0, upstream: 0 }
  }
  for (const kind of feedKinds) yield* pulled(Metrics.feedClients(kind), () => ({ value: tally.clients[kind] }))
  yield* pulled(Metrics.feedSent, () => count(tally.sent))
  for (const reason of Metrics.feedDropReasons) {
    yield* pulled(Metrics.feedDropped(reason), () => count(tally.dropped[reason]))
  }
  return tally
})
