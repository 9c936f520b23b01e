import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Context, Deferred, Effect, Layer, Queue, type Scope } from "effect"
import type { Border } from "../../../../src/rpc/contract/Border.ts"
import { type HostState, RpcHost } from "../../../../src/rpc/server/RpcHost.ts"
import * as RpcHostLive from "../../../../src/rpc/server/RpcHostLive.ts"
import * as SocketListener from "../../../../src/rpc/server/SocketListener.ts"
import type { Target } from "./RawClient.ts"
import * as RawClient from "./RawClient.ts"
import * as TestRpcs from "./TestRpcs.ts"

export interface Hosted {
  readonly host: RpcHost["Service"]
  readonly stage: TestRpcs.Stage
  readonly target: Target
  /** Lets the calls that wait go on. */
  readonly open: Effect.Effect<void>
  readonly notes: Effect.Effect<ReadonlyArray<string>>
  /** Done when the host's state is so. */
  readonly until: (holds: (state: HostState) => boolean) => Effect.Effect<void>
}

/** Lets the sockets of this process do what they have to, without a clock. */
export const turn: Effect.Effect<void> = Effect.callback((resume) => {
  setImmediate(() => resume(Effect.void))
})

export const opened = ({ target }: Hosted) => RawClient.open(target)

export const tempDir: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tapestry-host-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** The test procedures on a socket, until the scope closes. */
export const listening = (options: SocketListener.SocketListenOptions, border?: Layer.Layer<Border>) =>
  Effect.gen(function* () {
    const stage = yield* TestRpcs.makeStage
    const context = yield* Layer.build(
      Layer.effect(RpcHost, RpcHostLive.make(TestRpcs.TestRpcs)).pipe(Layer.provide(TestRpcs.layer(stage, border)))
    )
    const host = Context.get(context, RpcHost)
    const { address } = yield* Effect.provideContext(SocketListener.listen(options), context)
    const target: Target =
      address._tag === "UnixPathAddress" ? { path: address.path } : { host: "127.0.0.1", port: address.port }
    const opened: Hosted = {
      host,
      stage,
      target,
      open: Effect.asVoid(Deferred.succeed(stage.gate, undefined)),
      notes: Queue.takeAll(stage.notes),
      until: (holds) =>
        Effect.gen(function* () {
          while (!holds(yield* host.state)) yield* turn
        })
    }
    return opened
  })

/** On a free port, or in a directory of its own. */
export const hosted = Effect.fnUntraced(function* (kind: "tcp" | "unix", border?: Layer.Layer<Border>) {
  if (kind === "tcp") return yield* listening({ host: "127.0.0.1", port: 0 }, border)
  return yield* listening({ path: join(yield* tempDir, "socket") }, border)
})
