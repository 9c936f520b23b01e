/**
 * What a gateway says of orders on one connection, given to who waits for it. Orders have numbers of their own, far below those of requests, and what is
 * said of one comes whenever something happens to it. All is synchronous, inside the callback of the socket.
 *
 * Hard cases. Placing and cancelling may wait for the same order at once: both hear all of it. An error that is no definite refusal ends nobody's
 * wait: a gateway says of living orders what sounds like one, and to tell an order as refused that is at work would be the worst mistake. A list of
 * orders names no request, so there is one at a time, and one that nobody waits for any more has an end all the same, which is not the
 * end of the next. When the connection ends every wait fails with its cause, and what it has heard stays.
 */
import { Deferred, Effect } from "effect"
import { IbkrError, Undecodable } from "../../../services/IbkrSession.ts"
import { fieldsOf, messageIds, unescaped } from "./frames.ts"

/** Numbers below are orders', from it on requests'. */
export const firstRequest = 100_000_000

export type OrderWord =
  | { readonly _tag: "Status"; readonly status: string }
  | { readonly _tag: "Error"; readonly code: number; readonly message: string }

/** What a message is to who waits: not the last, the last, or a refusal in these words. */
export type Verdict = "on" | "done" | { readonly refused: string }

export interface OrderWait {
  /** Everything about the order since, as it came. */
  readonly frames: ReadonlyArray<Uint8Array>
  /** True when the gateway has told its status: it has it. */
  readonly known: () => boolean
  /** The words of a refusal; null: there was none. */
  readonly settled: Effect.Effect<string | null, IbkrError>
  readonly leave: () => void
}

interface Waiting {
  readonly frames: Array<Uint8Array>
  known: boolean
  readonly judge: (word: OrderWord) => Verdict
  readonly done: Deferred.Deferred<string | null, IbkrError>
}

/** Those at work, and those of the day that are over. */
export type ListOf = "open" | "completed"

const parts = {
  open: [messageIds.openOrder, messageIds.orderStatus],
  completed: [messageIds.completedOrder]
} as const satisfies Readonly<Record<ListOf, ReadonlyArray<number>>>

const ends: Readonly<Record<number, ListOf>> = {
  [messageIds.openOrderEnd]: "open",
  [messageIds.completedOrdersEnd]: "completed"
}

interface Listing {
  readonly of: ListOf
  readonly frames: Array<Uint8Array>
  bytes: number
  /** Ends of lists that come before it is whole, its own included; 0: it has not been asked for. */
  ends: number
  readonly done: Deferred.Deferred<ReadonlyArray<Uint8Array>, IbkrError>
}

export interface OrderDesk {
  /** Listens for an order from now on. */
  readonly wait: (order: number, judge: (word: OrderWord) => Verdict) => Effect.Effect<OrderWait>
  /** A list of orders, while nobody else waits for one. `asked` is called as it is asked for; `done` are its frames; `leave`: nobody waits for it any more. */
  readonly list: (of: ListOf) => Effect.Effect<{
    readonly asked: () => void
    readonly leave: () => void
    readonly done: Effect.Effect<ReadonlyArray<Uint8Array>, IbkrError>
  }>
  /** True: somebody waits for it, and it is not for the library. */
  readonly take: (frame: Uint8Array, messageId: number) => boolean
  readonly failAll: (error: IbkrError) => void
}

/** The order of which a message speaks, and what it says of it; null: of none. */
const about = (frame: Uint8Array, messageId: number): readonly [order: number, word: OrderWord | null] | null => {
  const fields = fieldsOf(frame)
  switch (messageId) {
    case messageIds.orderStatus:
      return [Number(fields[1]), { _tag: "Status", status: fields[2] ?? "" }]
    case messageIds.openOrder:
      return [Number(fields[1]), null]
    case messageIds.error:
      return [Number(fields[2]), { _tag: "Error", code: Number(fields[3]), message: unescaped(fields[4] ?? "") }]
    default:
      return null
  }
}

const tooMuch = (maxBytes: number) =>
  new IbkrError({ reason: new Undecodable({ message: `a list of orders of more than ${maxBytes} bytes` }) })

export const make = (maxBytes: number): OrderDesk => {
  const waiting = new Map<number, Set<Waiting>>()
  let listing: Listing | null = null
  /** Lists that were asked for and have not ended. */
  const owed: Record<ListOf, number> = { open: 0, completed: 0 }
  let ended: IbkrError | null = null

  const tell = (one: Waiting, frame: Uint8Array, word: OrderWord | null) => {
    one.frames.push(frame)
    if (word === null) return
    one.known ||= word._tag === "Status"
    const verdict = one.judge(word)
    if (verdict === "on") return
    Deferred.doneUnsafe(one.done, Effect.succeed(verdict === "done" ? null : verdict.refused))
  }

  const listed = (list: Listing, frame: Uint8Array, messageId: number): boolean => {
    if (ends[messageId] === list.of) {
      // Of one that was given up before this was asked for.
      if (list.ends === 0) return true
      list.ends -= 1
      if (list.ends > 0) return true
      listing = null
      Deferred.doneUnsafe(list.done, Effect.succeed(list.frames))
      return true
    }
    if (!parts[list.of].some((part) => part === messageId)) return false
    list.bytes += frame.length
    list.frames.push(frame)
    if (list.bytes > maxBytes) {
      listing = null
      Deferred.doneUnsafe(list.done, Effect.fail(tooMuch(maxBytes)))
    }
    return true
  }

  return {
    wait: Effect.fnUntraced(function* (order, judge) {
      const one: Waiting = { frames: [], known: false, judge, done: yield* Deferred.make<string | null, IbkrError>() }
      if (ended !== null) yield* Deferred.fail(one.done, ended)
      const those = waiting.get(order) ?? new Set()
      waiting.set(order, those.add(one))
      return {
        frames: one.frames,
        known: () => one.known,
        settled: Deferred.await(one.done),
        leave: () => {
          those.delete(one)
          if (those.size === 0) waiting.delete(order)
        }
      }
    }),
    list: Effect.fnUntraced(function* (of) {
      const done = yield* Deferred.make<ReadonlyArray<Uint8Array>, IbkrError>()
      const list: Listing = { of, frames: [], bytes: 0, ends: 0, done }
      if (ended === null) listing = list
      else yield* Deferred.fail(done, ended)
      const asked = () => {
        owed[of] += 1
        list.ends = owed[of]
      }
      const leave = () => {
        if (listing === list) listing = null
      }
      return { asked, done: Deferred.await(done), leave }
    }),
    take: (frame, messageId) => {
      const over = ends[messageId]
      if (over !== undefined && owed[over] > 0) owed[over] -= 1
      if (waiting.size === 0 && listing === null) return false
      const kept = Uint8Array.from(frame)
      const inList = listing !== null && listed(listing, kept, messageId)
      if (waiting.size === 0) return inList
      const [order, word] = about(kept, messageId) ?? [-1, null]
      const those = waiting.get(order)
      if (those === undefined) return inList
      for (const one of those) tell(one, kept, word)
      return true
    },
    failAll: (error) => {
      ended = error
      for (const those of waiting.values()) for (const { done } of those) Deferred.doneUnsafe(done, Effect.fail(error))
      if (listing !== null) Deferred.doneUnsafe(listing.done, Effect.fail(error))
      listing = null
    }
  }
}
