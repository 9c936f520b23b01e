/**
 * What is said of an order as a gateway answers. Codes with which IB has refused for certain end a wait; every other one is kept as a note, and the status that
 * comes beside it decides: 399, for one, is a warning about an order that is at work, and 404 holds one until shares can be borrowed.
 */
import type { OrderWord, Verdict } from "./OrderDesk.ts"

/** Of an order that is placed: it is not at work, and has not been. */
const refusals: ReadonlySet<number> = new Set([
  103, 104, 105, 106, 107, 109, 110, 111, 113, 116, 200, 201, 202, 203, 320, 321, 387, 388
])

/** On its way to the exchange, or not yet. */
const undecided: ReadonlySet<string> = new Set(["", "ApiPending", "PendingSubmit", "Unknown"])

const worded = ({ code, message }: Extract<OrderWord, { _tag: "Error" }>): Verdict => ({
  refused: `${message} (IB's code ${code})`
})

export const judgePlaced = (word: OrderWord): Verdict =>
  word._tag === "Status" ? (undecided.has(word.status) ? "on" : "done") : refusals.has(word.code) ? worded(word) : "on"

/** An order that cannot be cancelled, or is not there. */
const uncancellable: ReadonlySet<number> = new Set([135, 136, 161, 10147, 10148])
const over: ReadonlySet<string> = new Set(["Cancelled", "ApiCancelled", "Filled", "Inactive"])

export const judgeCancelled = (word: OrderWord): Verdict =>
  word._tag === "Status"
    ? over.has(word.status)
      ? "done"
      : "on"
    : word.code === 202
      ? "done"
      : uncancellable.has(word.code)
        ? worded(word)
        : "on"
