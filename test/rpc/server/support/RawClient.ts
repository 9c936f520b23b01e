/** A client that writes bytes and reads lines: what a program in any language is. */
import { connect, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export interface RawClient {
  readonly socket: Socket
  readonly write: (bytes: string | Uint8Array) => Effect.Effect<void>
  /** Writes each as a line, in one write. */
  readonly send: (...messages: ReadonlyArray<unknown>) => Effect.Effect<void>
  /** The next line that comes, parsed; `null` when the server has closed. */
  readonly next: Effect.Effect<Record<string, unknown> | null>
  readonly take: (count: number) => Effect.Effect<ReadonlyArray<Record<string, unknown> | null>>
  /** Done when the server has closed the connection. */
  readonly closed: Effect.Effect<void>
}

export type Target = { readonly host: string; readonly port: number } | { readonly path: string }

export const open = (target: Target): Effect.Effect<RawClient, never, Scope.Scope> =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.callback<Socket>((resume) => {
        const opened = connect(target)
        opened.once("connect", () => resume(Effect.succeed(opened)))
        opened.once("error", (error) => resume(Effect.die(error)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    socket.on("error", () => {})
    const lines: Array<string> = []
    let rest = ""
    let ended = false
    let wake = () => {}
    socket.on("data", (bytes) => {
      const parts = (rest + bytes.toString("utf8")).split("\n")
      rest = parts.pop() ?? ""
      lines.push(...parts)
      wake()
    })
    socket.on("close", () => {
      ended = true
      wake()
    })
    const next: RawClient["next"] = Effect.suspend(() => {
      const line = lines.shift()
      if (line !== undefined) return Effect.succeed(JSON.parse(line))
      if (ended) return Effect.succeed(null)
      return Effect.andThen(
        Effect.callback<void>((resume) => {
          wake = () => resume(Effect.void)
        }),
        next
      )
    })
    const write = (bytes: string | Uint8Array) =>
      Effect.sync(() => {
        socket.write(bytes)
      })
    return {
      socket,
      write,
      send: (...messages) => write(messages.map((message) => `${JSON.stringify(message)}\n`).join("")),
      next,
      take: (count) => Effect.replicateEffect(next, count),
      closed: Effect.suspend(function drain(): Effect.Effect<void> {
        return Effect.flatMap(next, (line) => (line === null ? Effect.void : drain()))
      })
    }
  })

export const request = (id: unknown, tag: string, payload?: unknown, more: object = {}) => ({
  _tag: "Request",
  id,
  tag,
  ...(payload === undefined ? {} : { payload }),
  ...more
})

export const success = (requestId: unknown, value: unknown) => ({
  _tag: "Exit",
  requestId,
  exit: { _tag: "Success", value }
})

export const failure = (requestId: unknown, error: unknown) => ({
  _tag: "Exit",
  requestId,
  exit: { _tag: "Failure", cause: [{ _tag: "Fail", error }] }
})

/** What lies at a path of an answer; undefined where there is nothing. */
export const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? Reflect.get(inner, key) : undefined),
    value
  )
