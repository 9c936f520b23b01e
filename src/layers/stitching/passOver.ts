import { Effect } from "effect"
import type { ResponseId } from "../../domain/Response.ts"
import type { BarSeries } from "./project.ts"

interface Outer {
  readonly _tag: string
  readonly message: string
  readonly reason: { readonly _tag: string }
}

/** False for what is this machine's fault: a disk that is full or cannot be read. */
export const isAnswersOwn = ({ reason }: Outer): boolean =>
  !reason._tag.startsWith("Archive") && !reason._tag.startsWith("Store")

/** A damaged payload, bytes that cannot be read and rows that cannot be accepted leave a hole (null), not an error. */
export const passOver =
  ({ text }: BarSeries, id: ResponseId) =>
  <A, E extends Outer, R>(applying: Effect.Effect<A, E, R>): Effect.Effect<A | null, E, R> =>
    Effect.catchIf(applying, isAnswersOwn, (error) =>
      Effect.as(Effect.logWarning(`archived response ${id} of ${text} cannot be applied: ${error.message}`), null)
    )
