import { assert, describe, it } from "@effect/vitest"
import { Effect, References } from "effect"
import { forkAloud } from "../../../src/layers/streams/forkAloud.ts"
import type { StreamSink, UpstreamEvent } from "../../../src/services/StreamCapability.ts"

const heard = () => {
  const events: Array<UpstreamEvent> = []
  const sink: StreamSink = { row: () => {}, rows: () => {}, event: (event) => events.push(event) }
  return { events, sink }
}

describe("what feeds a stream", () => {
  it.effect("ends it aloud when it dies, and says nothing when it is interrupted", () =>
    Effect.gen(function* () {
      const died = heard()
      yield* forkAloud(Effect.die("no such bar"), died.sink, "the replay of session 3", false)
      const [closed] = died.events
      assert.strictEqual(closed?._tag === "Closed" && closed.retryable, false)
      assert.strictEqual(
        closed?._tag === "Closed" && "message" in closed.cause && closed.cause.message,
        "the replay of session 3 failed here; the log says how"
      )
      const interrupted = heard()
      yield* Effect.scoped(forkAloud(Effect.never, interrupted.sink, "it"))
      assert.deepStrictEqual(interrupted.events, [])
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  )
})
