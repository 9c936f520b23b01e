import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { assert, describe, it, vi } from "@effect/vitest"
import { Effect } from "effect"
import type { ListenError } from "../../../src/rpc/server/ListenError.ts"
import type { SocketListenOptions } from "../../../src/rpc/server/SocketListener.ts"
import { hosted, listening, opened, tempDir } from "./support/hosted.ts"
import { request, success } from "./support/RawClient.ts"

const refusal = (options: SocketListenOptions): Effect.Effect<ListenError> =>
  Effect.scoped(Effect.flip(listening(options))).pipe(Effect.orDie)

const isServed = (options: SocketListenOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const client = yield* opened(yield* listening(options))
      yield* client.send(request(1, "nothing"))
      assert.deepStrictEqual(yield* client.next, success(1, null))
    })
  )

describe("listening", () => {
  it.effect("port 0 gives the port that was taken; a port in use is an error with a remedy", () =>
    Effect.gen(function* () {
      const { target } = yield* hosted("tcp")
      const port = "port" in target ? target.port : 0
      assert.isAbove(port, 0)
      const error = yield* refusal({ host: "127.0.0.1", port })
      assert.strictEqual(error.reason, "AddressInUse")
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: another process listens there; .*another port`))
    })
  )

  it.effect("an address of another machine is an error", () =>
    Effect.gen(function* () {
      const error = yield* refusal({ host: "192.0.2.1", port: 0 })
      assert.strictEqual(error.reason, "NoSuchAddress")
      assert.include(error.message, "192.0.2.1:0")
    })
  )

  it.effect("the Unix socket is for its user alone, whatever the umask, and is removed in the end", () =>
    Effect.gen(function* () {
      const path = join(yield* tempDir, "socket")
      const mask = process.umask(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(mask)))
      yield* Effect.scoped(
        Effect.gen(function* () {
          // The mask is the process's: what the thread pool makes in that moment would get it, too.
          const masks = vi.spyOn(process, "umask")
          yield* listening({ path })
          assert.deepStrictEqual(masks.mock.calls, [])
          masks.mockRestore()
          assert.strictEqual(lstatSync(path).mode & 0o777, 0o600)
          assert.deepStrictEqual(readdirSync(dirname(path)), ["socket"])
        })
      )
      assert.deepStrictEqual(readdirSync(dirname(path)), [])
    })
  )

  it.effect("a socket that cannot be asked is not taken for dead", () =>
    Effect.gen(function* () {
      const path = join(yield* tempDir, "socket")
      yield* listening({ path })
      chmodSync(path, 0)
      // The superuser may connect all the same, and finds it served.
      assert.strictEqual((yield* refusal({ path })).reason, "AddressInUse")
      assert.isTrue(existsSync(path))
    })
  )

  it.live("a socket file that a killed process left is replaced", () =>
    Effect.gen(function* () {
      const path = join(yield* tempDir, "socket")
      yield* Effect.promise(async () => {
        const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`
        const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] })
        await once(child.stdout, "data")
        child.kill("SIGKILL")
        await once(child, "close")
      })
      assert.isTrue(existsSync(path))
      yield* isServed({ path })
    })
  )

  it.effect("a socket that is served, and a file that is no socket, are left alone", () =>
    Effect.gen(function* () {
      const dir = yield* tempDir
      const path = join(dir, "socket")
      const server = yield* listening({ path })
      const inUse = yield* refusal({ path })
      assert.strictEqual(inUse.reason, "AddressInUse")
      assert.match(inUse.message, /another process listens there/)
      const client = yield* opened(server)
      yield* client.send(request(1, "nothing"))
      assert.deepStrictEqual(yield* client.next, success(1, null))

      const file = join(dir, "file")
      writeFileSync(file, "precious")
      const occupied = yield* refusal({ path: file })
      assert.strictEqual(occupied.reason, "AddressInUse")
      assert.isTrue(existsSync(file))
    })
  )

  it.effect("a path that is too long says so, by bytes; one that just fits is served", () =>
    Effect.gen(function* () {
      const max = process.platform === "darwin" ? 103 : 107
      const dir = yield* tempDir
      const fitting =
        join(dir, "é".repeat((max - dir.length - 1) >> 1).padEnd(0)) + "x".repeat((max - dir.length - 1) & 1)
      assert.strictEqual(Buffer.byteLength(fitting), max)
      yield* isServed({ path: fitting })
      const error = yield* refusal({ path: `${fitting}x` })
      assert.strictEqual(error.reason, "PathTooLong")
      assert.match(error.message, new RegExp(`at most ${max} bytes, and this one ${max + 1}; use a data directory`))
    })
  )

  it.effect("a directory that is not there, or may not be written to, is an error and not a crash", () =>
    Effect.gen(function* () {
      const dir = yield* tempDir
      const error = yield* refusal({ path: join(dir, "none", "socket") })
      assert.strictEqual(error.reason, "NoSuchAddress")
      assert.match(error.message, /its directory is not there/)
      const closed = join(dir, "closed")
      mkdirSync(closed)
      chmodSync(closed, 0o500)
      // The superuser may write anywhere.
      if (process.getuid?.() === 0) return
      assert.strictEqual((yield* refusal({ path: join(closed, "socket") })).reason, "NotPermitted")
    })
  )
})
