/**
 * A process that owns the directory of its first argument. `hold`: until it is killed, printing `held` or the tag of its error.
 * `compete`: over and over until it is killed, each time for a few milliseconds, with a line in the log of the third argument when
 * it begins and one when it ends; in between it never leaves the event loop's turn to chance, so a line may be missing only
 * because the process was killed.
 */
import { appendFileSync } from "node:fs"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import * as OwnerLock from "../../../src/layers/owner/OwnerLock.ts"

const [dataDir = "", mode = "hold", log = ""] = process.argv.slice(2)
const lock = (patience: number) =>
  OwnerLock.layer({ dataDir, product: "test", patience }).pipe(
    Layer.provide(Layer.merge(NodeFileSystem.layer, NodePath.layer)),
    Layer.fresh
  )
const say = (what: string) => Effect.sync(() => appendFileSync(log, `${what} ${process.pid}\n`))

const hold = Effect.andThen(
  Effect.sync(() => process.stdout.write("held\n")),
  // Not `never`: nothing else keeps the process going.
  Effect.sleep("1 hour")
).pipe(
  Effect.provide(lock(0)),
  Effect.catch(({ reason }) => Effect.sync(() => process.stdout.write(`${reason._tag}\n`)))
)

const turn = Effect.gen(function* () {
  yield* say("begin")
  yield* Effect.sleep(Math.floor(Math.random() * 6))
  yield* say("end")
}).pipe(Effect.provide(lock(10_000)))

await Effect.runPromise(mode === "hold" ? hold : Effect.forever(Effect.andThen(turn, Effect.sleep(1))))
