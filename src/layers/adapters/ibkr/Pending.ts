/**
 * The requests of one connection that wait for their answers, by number. A number is used once in the life of the process, so that
 * an answer that comes too late can be told from one that is waited for: it is counted and otherwise ignored.
 *
 * The frames of an answer are kept as they came, and the library does not see them: what is archived is what was on the wire, and
 * what reads it later is the adapter's own decoder.
 *
 * Hard cases. An answer longer than `maxBytes` fails instead of filling the memory. A notice about a request (a warning, a cancel that
 * came too late) does not end it. When the connection ends, every request fails with its cause.
 */
import { Deferred, Effect } from "effect"
import { IbkrError, type IbkrErrorReason, Undecodable } from "../../../services/IbkrSession.ts"
import { meaningOf, requestError } from "./codes.ts"
import { fieldsOf, messageIds, requestIdOf, unescaped } from "./frames.ts"

/** What a request waits for. */
export interface Answer {
  /** The whole answer came with this frame, or more of it will. */
  readonly isLast: (messageId: number, frame: Uint8Array) => boolean
  /** The kinds of message that are the answer. */
  readonly messageIds: ReadonlyArray<number>
}

/** What IB said instead of an answer, with the frame in which it did. */
export interface Refusal {
  readonly code: number
  readonly message: string
  readonly reason: IbkrErrorReason
}

/** The frames of an answer in the order they came. A refusal's own frame is the last of them. */
export interface AnswerFrames {
  readonly frames: ReadonlyArray<Uint8Array>
  readonly refusal: Refusal | null
  /** IB's word that there is nothing: an answer, too. */
  readonly empty: boolean
}

interface Waiting {
  readonly answer: Answer
  readonly frames: Array<Uint8Array>
  bytes: number
  readonly done: Deferred.Deferred<AnswerFrames, IbkrError>
}

export interface Pending {
  readonly add: (requestId: number, answer: Answer) => Effect.Effect<Deferred.Deferred<AnswerFrames, IbkrError>>
  /** What has come of an answer that is not waited for to its end; null: nothing. */
  readonly soFar: (requestId: number) => AnswerFrames | null
  /** Nobody waits for it any more: what still comes is late. */
  readonly abandon: (requestId: number) => void
  /** `answer` and `late` are not for the library: it was part of an answer, or of one that nobody waits for any more. */
  readonly take: (frame: Uint8Array, messageId: number) => "answer" | "late" | "not-ours"
  readonly failAll: (error: IbkrError) => void
  readonly size: () => number
}

/** Fields of an error: 4, its version, the request, the code, the text, and with newer servers a reject in JSON. */
const errorOf = (frame: Uint8Array) => {
  const fields = fieldsOf(frame)
  const code = Number(fields[3])
  return Number.isInteger(code) ? { code, message: unescaped(fields[4] ?? "") } : null
}

/** Given up requests whose late answers are told from others. */
const remembered = 1000

export const make = (maxBytes: number): Pending => {
  const waiting = new Map<number, Waiting>()
  const abandoned = new Set<number>()

  const end = (requestId: number, one: Waiting, exit: Effect.Effect<AnswerFrames, IbkrError>) => {
    waiting.delete(requestId)
    Deferred.doneUnsafe(one.done, exit)
  }

  const refused = (requestId: number, one: Waiting, frame: Uint8Array): boolean => {
    const said = errorOf(frame)
    if (said === null) return false
    if (meaningOf(said.code, said.message, requestId).kind === "NoData") {
      end(requestId, one, Effect.succeed({ frames: [...one.frames, frame], refusal: null, empty: true }))
      return true
    }
    const reason = requestError(said.code, said.message)
    if (reason === null) return true
    end(requestId, one, Effect.succeed({ frames: [...one.frames, frame], refusal: { ...said, reason }, empty: false }))
    return true
  }

  return {
    add: Effect.fnUntraced(function* (requestId, answer) {
      const done = yield* Deferred.make<AnswerFrames, IbkrError>()
      waiting.set(requestId, { answer, frames: [], bytes: 0, done })
      return done
    }),
    soFar: (requestId) => {
      const frames = waiting.get(requestId)?.frames ?? []
      return frames.length === 0 ? null : { frames, refusal: null, empty: false }
    },
    abandon: (requestId) => {
      waiting.delete(requestId)
      abandoned.add(requestId)
      for (const oldest of abandoned) {
        if (abandoned.size <= remembered) break
        abandoned.delete(oldest)
      }
    },
    take: (frame, messageId) => {
      if (waiting.size === 0 && abandoned.size === 0) return "not-ours"
      const requestId = requestIdOf(frame, messageId)
      if (requestId < 0) return "not-ours"
      const one = waiting.get(requestId)
      if (one === undefined) return abandoned.has(requestId) ? "late" : "not-ours"
      const kept = Uint8Array.from(frame)
      if (messageId === messageIds.error) return refused(requestId, one, kept) ? "answer" : "not-ours"
      if (!one.answer.messageIds.includes(messageId)) return "not-ours"
      one.bytes += kept.length
      if (one.bytes > maxBytes) {
        const message = `an answer of more than ${maxBytes} bytes; ask for less at once`
        end(requestId, one, Effect.fail(new IbkrError({ reason: new Undecodable({ message }) })))
        return "answer"
      }
      one.frames.push(kept)
      if (one.answer.isLast(messageId, kept)) {
        end(requestId, one, Effect.succeed({ frames: one.frames, refusal: null, empty: false }))
      }
      return "answer"
    },
    failAll: (error) => {
      for (const [requestId, one] of waiting) end(requestId, one, Effect.fail(error))
    },
    size: () => waiting.size
  }
}
