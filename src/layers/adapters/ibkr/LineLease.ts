/** A line of the account for a question, which needs it for a moment: it waits in the order of all who want one. */
import { Deferred, Effect, type Scope } from "effect"
import { IbkrError, LinesExhausted } from "../../../services/IbkrSession.ts"
import type { LineQuota } from "./LineQuota.ts"

export class LineLease {
  readonly #place = Deferred.makeUnsafe<void, IbkrError>()

  /** There is a line for it. */
  admit(): void {
    Deferred.doneUnsafe(this.#place, Effect.void)
  }

  /** There will be none on this connection. */
  fail(error: IbkrError): void {
    Deferred.doneUnsafe(this.#place, Effect.fail(error))
  }

  get placed(): Effect.Effect<void, IbkrError> {
    return Deferred.await(this.#place)
  }
}

/** The whole number of lines was in use for so long. */
const allInUse = ({ lines, sort }: Pick<LineQuota<never>, "lines" | "sort">, within: number) =>
  new IbkrError({
    reason: new LinesExhausted({
      code: 101,
      sort,
      message: `all ${lines} were in use for ${within / 1000} s`
    })
  })

/** Has a line until the scope closes; `release` gives it to who is next. Fails where there is none within so many milliseconds. */
export const lease = Effect.fnUntraced(function* <Other>(
  quota: LineQuota<Other | LineLease>,
  waiting: Set<LineLease>,
  within: number,
  release: (lease: LineLease) => void
): Effect.fn.Return<LineLease, IbkrError, Scope.Scope> {
  const one = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const made = new LineLease()
      if (quota.take(made)) made.admit()
      else waiting.add(made)
      return made
    }),
    (made) =>
      Effect.sync(() => {
        waiting.delete(made)
        release(made)
      })
  )
  yield* one.placed.pipe(
    Effect.timeoutOrElse({
      duration: within,
      orElse: () => Effect.fail(allInUse(quota, within))
    })
  )
  waiting.delete(one)
  return one
})
