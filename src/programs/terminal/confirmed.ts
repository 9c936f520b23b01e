/**
 * Asks before something is done that cannot be undone: `yes`, and nothing else, at a terminal. Where there is none to ask at, nothing is done
 * unless the command line has said so.
 */
import { createInterface } from "node:readline"
import { Effect } from "effect"
import { UsageError } from "../failure/UsageError.ts"
import { Output } from "./Output.ts"

const line = Effect.callback<string>((resume) => {
  const reader = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  reader.once("line", (text) => resume(Effect.succeed(text)))
  // The end of input without a line is no yes.
  reader.once("close", () => resume(Effect.succeed("")))
  return Effect.sync(() => reader.close())
})

/** `what` is said before the question; `sure`: the command line has said yes. Fails where the answer is another. */
export const confirmed = Effect.fnUntraced(function* (what: string, sure: boolean) {
  const { errorTerminal, note, noteRaw } = yield* Output
  yield* note(what)
  if (sure) return
  if (process.stdin.isTTY !== true || !errorTerminal.isTerminal) {
    return yield* new UsageError({
      message: "nothing was sent: there is no terminal to ask at; say --yes to send it without a question"
    })
  }
  yield* noteRaw('Send it? Type "yes": ')
  const answer = yield* line
  process.stdin.pause()
  if (answer.trim() !== "yes") return yield* new UsageError({ message: "nothing was sent" })
})
