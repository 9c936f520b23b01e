/** Serving from inside another app: what comes up, what is announced, and the order in which it goes down. */
import { connect } from "node:net"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FileSystem, Layer, Path, Scope } from "effect"
import { defaults } from "../../src/layers/config/TapestryConfig.ts"
import * as OwnerLock from "../../src/layers/owner/OwnerLock.ts"
import { ownerSocket } from "../../src/layers/owner/ownerSocket.ts"
import * as Tapestry from "../../src/layers/Tapestry.ts"
import { type ServedOptions, serve } from "../../src/rpc/server/Served.ts"
import { occupied, RawClient } from "../programs/serving.ts"

const off: ServedOptions = { product: "1.2.3-test", http: null, tcp: null, socket: null }
const free = { host: "127.0.0.1", port: 0 }

const inDirectory = <A, E>(
  use: (dataDir: string) => Effect.Effect<A, E, Scope.Scope | Tapestry.TapestryServices | NodeServices.NodeServices>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-served-" })
    const data = Tapestry.layer({ dataDir, config: { ...defaults, dataDir } })
    return yield* Effect.provide(use(dataDir), data)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const opened = (to: { readonly host: string; readonly port: number } | { readonly path: string }) =>
  Effect.acquireRelease(
    Effect.promise(() => RawClient.open(to)),
    (client) => Effect.sync(() => client.end())
  )

/** Whether anybody takes connections there. */
const answers = (to: { readonly host: string; readonly port: number } | { readonly path: string }) =>
  Effect.promise(
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(to)
        socket.once("connect", () => {
          socket.destroy()
          resolve(true)
        })
        socket.once("error", () => resolve(false))
      })
  )

describe("Served", () => {
  it.live("serves what is asked for, with the ports that it got, and says who it is", () =>
    inDirectory(
      Effect.fnUntraced(function* (dataDir) {
        const socket = yield* ownerSocket(dataDir)
        const http = { ...free, allowedHosts: [], allowedOrigins: [] }
        const served = yield* serve({ ...off, http, tcp: free, socket })
        assert.strictEqual(served.socket, socket)
        assert.isAbove(served.tcp?.port ?? 0, 0)
        assert.isAbove(served.http?.port ?? 0, 0)
        const client = yield* opened(served.tcp ?? free)
        const exit = yield* Effect.promise(() => client.call("System.hello"))
        assert.strictEqual(exit.value.product, "1.2.3-test")
        const health = yield* Effect.promise(() => fetch(`http://127.0.0.1:${served.http?.port}/readyz`))
        assert.strictEqual(health.status, 200)
      })
    )
  )

  it.live(
    "announces the socket while it serves, takes it back before it drains, and then takes no more connections",
    () =>
      inDirectory(
        Effect.fnUntraced(function* (dataDir) {
          const socket = yield* ownerSocket(dataDir)
          const announced = Effect.map(OwnerLock.find(dataDir), (owner) => owner?.details?.socket ?? null)
          assert.isNull(yield* announced)
          const scope = yield* Scope.make()
          yield* Scope.provide(serve({ ...off, socket }), scope)
          assert.strictEqual(yield* announced, socket)
          assert.isTrue(yield* answers({ path: socket }))
          yield* Scope.close(scope, Exit.void)
          assert.isNull(yield* announced)
          assert.isFalse(yield* answers({ path: socket }))
          const fs = yield* FileSystem.FileSystem
          assert.isFalse(yield* fs.exists(socket))
        })
      )
  )

  it.live("a listener that cannot listen takes the others down, and nothing was announced", () =>
    inDirectory(
      Effect.fnUntraced(function* (dataDir) {
        const socket = yield* ownerSocket(dataDir)
        const { port } = yield* Effect.promise(occupied)
        const taken = { host: "127.0.0.1", port }
        const error = yield* Effect.flip(serve({ ...off, tcp: taken, socket }))
        assert.strictEqual(error._tag, "ListenError")
        assert.include(error.message, `127.0.0.1:${port}`)
        assert.isFalse(yield* answers({ path: socket }))
        assert.isNull((yield* OwnerLock.find(dataDir))?.details?.socket ?? null)
        // The scope lives on, and the next try has everything to itself.
        const served = yield* serve({ ...off, tcp: free, socket })
        assert.isTrue(yield* answers(served.tcp ?? taken))
      })
    )
  )

  it.live("serves services that own no directory, too", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const dataDir = yield* fs.makeTempDirectoryScoped({ prefix: "tapestry-served-" })
      const config = { ...defaults, dataDir }
      yield* Effect.void.pipe(Effect.provide(Layer.fresh(Tapestry.layer({ dataDir, config }))))
      const socket = path.join(dataDir, "other.sock")
      yield* Effect.gen(function* () {
        yield* serve({ ...off, socket })
        assert.isTrue(yield* answers({ path: socket }))
      }).pipe(Effect.scoped, Effect.provide(Tapestry.layerReadonly({ dataDir, config })))
      assert.isFalse(yield* answers({ path: socket }))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
