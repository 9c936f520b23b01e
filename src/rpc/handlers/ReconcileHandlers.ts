import { Effect, Queue, Stream } from "effect"
import { Reconciliation } from "../../services/Reconciliation.ts"
import { type ReconcileEvent, ReconcileRpcs } from "../contract/ReconcileRpcs.ts"
import { counted } from "./CallTally.ts"

/** Room for events that the reader has not taken; the oldest goes, which the next one makes worthless. */
const unread = 16

const make = Effect.gen(function* () {
  const reconciliation = yield* Reconciliation

  return ReconcileRpcs.of({
    "Reconcile.run": (query) =>
      Stream.callback<ReconcileEvent, Effect.Error<ReturnType<typeof reconciliation.reconcile>>>(
        (queue) =>
          reconciliation
            .reconcile(query, {
              progress: ({ done, of, rows }) => Queue.offer(queue, { _tag: "Progress", done, of, rows })
            })
            .pipe(
              Effect.flatMap((report) => Queue.offer(queue, { _tag: "Compared", report })),
              Effect.andThen(Queue.end(queue))
            ),
        { bufferSize: unread, strategy: "sliding" }
      ),

    "Reconcile.mismatches": ({ left, range, right, ...options }) =>
      counted(reconciliation.mismatches(left, right, range, options))
  })
})

export const layer = ReconcileRpcs.toLayer(make)
