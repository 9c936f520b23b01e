/** The file of a Unix socket: a name that can be bound, and none of a process that is dead in its way. */
import { existsSync, lstatSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { dirname } from "node:path"
import { Effect } from "effect"
import { ListenError } from "./ListenError.ts"

/** Bytes of a path that the system's socket addresses hold. */
const maxPath = process.platform === "darwin" ? 103 : 107

const checkLength = (path: string): Effect.Effect<void, ListenError> => {
  const length = Buffer.byteLength(path)
  if (length <= maxPath) return Effect.void
  const detail = `the path of a Unix socket has at most ${maxPath} bytes, and this one ${length}; use a data directory with a shorter path`
  return Effect.fail(new ListenError({ address: path, reason: "PathTooLong", detail }))
}

/** Whether someone accepts connections there. */
const isServed = (path: string): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const socket = connect(path)
    const done = (served: boolean) => {
      socket.destroy()
      resume(Effect.succeed(served))
    }
    socket.once("connect", () => done(true))
    // A queue of connections that is full is somebody's too.
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code === "EAGAIN"))
    return Effect.sync(() => socket.destroy())
  })

const onDisk = <A>(path: string, act: () => A): Effect.Effect<A, ListenError> =>
  Effect.try({ try: act, catch: (cause) => ListenError.of(path, cause) })

/** Makes room for a socket at the path: takes away one that a dead process left, and nothing else. */
export const clear = Effect.fnUntraced(function* (path: string): Effect.fn.Return<void, ListenError> {
  yield* checkLength(path)
  if (!existsSync(dirname(path))) {
    const detail = "its directory is not there"
    return yield* new ListenError({ address: path, reason: "NoSuchAddress", detail })
  }
  const found = yield* onDisk(path, () => lstatSync(path, { throwIfNoEntry: false }))
  if (found === undefined) return
  if (!found.isSocket()) {
    const detail = "a file of that name is there, and it is no socket; remove it, or choose another path"
    return yield* new ListenError({ address: path, reason: "AddressInUse", detail })
  }
  if (yield* isServed(path)) {
    const detail = "another process listens there"
    return yield* new ListenError({ address: path, reason: "AddressInUse", detail })
  }
  yield* onDisk(path, () => rmSync(path, { force: true }))
})
