/**
 * Questions of a session: each is asked once on the connection of now, with no retry and no cache.
 *
 * Queueing: in the outbound line of its kind; before that, where it takes one of the account's lines, among all who wait for one.
 *
 * Hard cases. Who is interrupted, or waits too long, gives the request up at the gateway, too. One that IB goes on with until it is told to stop is cancelled
 * behind its last frame; its line is free when that is on its way, so that what is asked for next finds it. A refusal for want of a line teaches how many there are.
 */
import { Deferred, Effect, Exit, Scope } from "effect"
import { Disconnected, IbkrError, NoAnswer } from "../../../services/IbkrSession.ts"
import type { Session } from "./IbkrSessionLive.ts"
import type { Lines } from "./Lines.ts"
import type { Link } from "./Link.ts"
import type { AnswerFrames } from "./Pending.ts"
import type { Question } from "./Question.ts"

interface Deps {
  readonly ready: Session["ready"]
  readonly link: () => Link | null
  readonly nextId: () => number
  readonly lines: Pick<Lines, "cancel" | "lease">
}

export const makeAsk = ({ lines, link, nextId, ready }: Deps): Session["ask"] => {
  const answerOf = Effect.fnUntraced(function* (live: Link, requestId: number, question: Question, sent: () => void) {
    const done = yield* live.pending.add(requestId, question)
    yield* live.outbound.send(question.line, () => {
      question.send(live.api, requestId)
      sent()
    })
    return yield* Deferred.await(done).pipe(
      Effect.timeoutOrElse({
        duration: question.within,
        orElse: (): Effect.Effect<AnswerFrames, IbkrError> => {
          const came = question.endless === true ? live.pending.soFar(requestId) : null
          if (came !== null) return Effect.succeed(came)
          const message = `no answer to ${question.what} within ${question.within / 1000} s`
          return Effect.fail(new IbkrError({ reason: new NoAnswer({ message, after: question.within }) }))
        }
      })
    )
  })

  return Effect.fn("IbkrSession.ask")(function* (question) {
    const { connection, serverVersion } = yield* ready
    const live = link()
    if (live === null) {
      return yield* new IbkrError({ reason: new Disconnected({ message: "the connection was just lost" }) })
    }
    const { cancel, endless = false, takes } = question
    const requestId = nextId()
    const own = Scope.makeUnsafe()
    let sent = false
    let giveUp: Effect.Effect<void> = Effect.void
    const asked = answerOf(live, requestId, question, () => {
      sent = true
    }).pipe(
      Effect.onExit((exit) =>
        Effect.sync(() => {
          if (Exit.isSuccess(exit) && (!endless || exit.value.refusal !== null)) return
          live.pending.abandon(requestId)
          if (!sent || cancel === undefined || link() !== live) return
          giveUp = Effect.ignore(lines.cancel(live, requestId, cancel))
        })
      )
    )
    const answered = yield* Effect.gen(function* () {
      const refused = takes === undefined ? Effect.void : yield* Scope.provide(lines.lease(takes, question.within), own)
      const answer = yield* asked
      if (answer.refusal?.reason._tag === "LinesExhausted") yield* refused
      return answer
    }).pipe(
      Effect.onExit(() =>
        Effect.forkDetach(Effect.ensuring(giveUp, Scope.close(own, Exit.void)), { startImmediately: true })
      )
    )
    return { ...answered, serverVersion, connection }
  })
}
