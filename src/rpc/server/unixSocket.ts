/** The file of a Unix socket: a name that can be bound, and none of a process that is dead in its way. */
import { chmodSync, existsSync, lstatSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { connect, type Server } from "node:net"
import { dirname, join } from "node:path"
import { Effect, Result } from "effect"
import { longestSocketPath } from "../../layers/owner/longestSocketPath.ts"
import { ListenError } from "./ListenError.ts"

const checkLength = (path: string): Effect.Effect<void, ListenError> => {
  const length = Buffer.byteLength(path)
  if (length <= longestSocketPath) return Effect.void
  const detail = `the path of a Unix socket has at most ${longestSocketPath} bytes, and this one ${length}; use a data directory with a shorter path`
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
    // Only these say that it is dead. A queue of connections that is full (EAGAIN) is somebody's, and what cannot be told (EMFILE,
    // EACCES) may be.
    socket.once("error", ({ code }: NodeJS.ErrnoException) => done(code !== "ECONNREFUSED" && code !== "ENOENT"))
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

const inUse = (): Error => Object.assign(new Error("the name was taken meanwhile"), { code: "EADDRINUSE" })

/** Bound and closed to others in this very call; who connects is only seen after it. */
const bindOpenly = (server: Server, path: string): void => {
  server.listen({ path })
  if (server.listening) chmodSync(path, 0o600)
}

/**
 * Binds in this very call, or has the server emit why it cannot. Fails where the directory does not let it. The file is never
 * there with a mode that lets others in: it is made in a directory that only this user may enter, and gets its name when it has
 * its mode. (The process's umask is no way to that: it holds for whatever the thread pool makes at the same time.) Only where the
 * longer name does not fit is it bound under its own, and closed right after. The file is the caller's to remove.
 */
export const bind = (server: Server, path: string): Result.Result<void, unknown> => {
  if (Buffer.byteLength(join(dirname(path), ".s123456", "s")) > longestSocketPath) {
    return Result.try(() => bindOpenly(server, path))
  }
  return Result.flatMap(
    Result.try(() => mkdtempSync(join(dirname(path), ".s"))),
    (closed) => {
      const first = join(closed, "s")
      const bound = Result.try(() => {
        bindOpenly(server, first)
        if (!server.listening) return
        if (existsSync(path)) throw inUse()
        renameSync(first, path)
      })
      // Not ours then, and nothing for the caller to remove.
      if (Result.isFailure(bound)) server.close()
      rmSync(closed, { recursive: true, force: true })
      return bound
    }
  )
}
