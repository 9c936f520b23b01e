import { Effect } from "effect"
import type { PayloadDraft } from "../../services/PayloadDraft.ts"
import type { HttpFault } from "./HttpAnswer.ts"
import type { Head } from "./openRequest.ts"

const broken = (message: string): HttpFault => ({ _tag: "BrokenOff", message })

/** The next bytes, null at the end; fails when the body does not come whole. What is buffered is given before either. */
const pull = ({ failure, incoming }: Head): Effect.Effect<Uint8Array | null, HttpFault> =>
  Effect.callback((resume) => {
    const give = (): boolean => {
      const chunk: unknown = incoming.read()
      if (chunk instanceof Uint8Array) {
        resume(Effect.succeed(chunk))
        return true
      }
      if (incoming.readableEnded && incoming.complete) {
        // The connection goes back to its pool in this turn; whoever asks next should find it there.
        setImmediate(() => resume(Effect.succeed(null)))
        return true
      }
      if (!incoming.destroyed && !incoming.readableEnded) return false
      const error = failure() ?? incoming.errored
      const code = error !== null && "code" in error ? String(error.code) : "closed"
      resume(Effect.fail(broken(`the body broke off (${code})`)))
      return true
    }
    if (give()) return
    const events = ["readable", "end", "error", "close"]
    const look = () => {
      if (give()) leave()
    }
    const leave = () => {
      for (const event of events) incoming.off(event, look)
    }
    for (const event of events) incoming.on(event, look)
    return Effect.sync(leave)
  })

/** Moves a body into a draft as it comes, no faster than the draft takes it. Null when it came whole. */
export const readBody = Effect.fnUntraced(function* (
  head: Head,
  draft: PayloadDraft,
  maxBytes: number
): Effect.fn.Return<HttpFault | null> {
  // Without a listener of its own, an error between two pulls would end the process.
  head.incoming.on("error", () => {})
  const whole = Effect.gen(function* () {
    let size = 0
    while (true) {
      const chunk = yield* pull(head)
      if (chunk === null) return
      const room = maxBytes - size
      const taken = yield* draft.write(chunk.byteLength > room ? chunk.subarray(0, room) : chunk)
      if (!taken) return yield* Effect.fail<HttpFault>({ _tag: "NotKept", message: "the archive cannot take the body" })
      if (chunk.byteLength > room) {
        return yield* Effect.fail<HttpFault>({
          _tag: "TooLarge",
          message: `the body is longer than ${maxBytes} bytes; ask for less at once or allow more`
        })
      }
      size += chunk.byteLength
    }
  })
  return yield* Effect.match(whole, { onSuccess: () => null, onFailure: (fault) => fault })
})
