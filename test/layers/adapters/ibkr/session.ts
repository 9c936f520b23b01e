/** Sessions for tests, and how to wait for what a real socket brings while the clock is a test's. */
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as IbkrSessionLive from "../../../../src/layers/adapters/ibkr/IbkrSessionLive.ts"
import { sessionOptions } from "../../../../src/layers/adapters/ibkr/IbkrVendor.ts"
import { makeApi } from "../../../../src/layers/adapters/ibkr/library.ts"
import type * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import type { IbkrCounters, IbkrState } from "../../../../src/services/IbkrSession.ts"

export const optionsFor = (port: number, over: Partial<IbkrSessionLive.SessionOptions> = {}) => ({
  ...sessionOptions({
    host: "127.0.0.1",
    port,
    clientId: 7,
    clientIds: 8,
    requestsPerSecond: 40,
    delayed: false,
    lines: { "market-data": 100, depth: 3, "tick-by-tick": 3 },
    patience: 120_000,
    maxBytes: 1_048_576,
    resets: [],
    upstreamPatience: 180_000
  }),
  ...over
})

export const sessionAt = (port: number, over: Partial<IbkrSessionLive.SessionOptions> = {}) =>
  IbkrSessionLive.make(optionsFor(port, over))

/** The first state of that name from now on. */
export const until = <Tag extends IbkrState["_tag"]>(
  session: IbkrSessionLive.Session,
  tag: Tag,
  which: (state: Extract<IbkrState, { readonly _tag: Tag }>) => boolean = () => true
) =>
  session.changes.pipe(
    Stream.filter(
      (state): state is Extract<IbkrState, { readonly _tag: Tag }> =>
        state._tag === tag && which(state as Extract<IbkrState, { readonly _tag: Tag }>)
    ),
    Stream.runHead,
    Effect.map((found) => (found._tag === "Some" ? found.value : assertNever(tag)))
  )

const assertNever = (tag: string): never => {
  throw new Error(`the session ended before it was ${tag}`)
}

/** Waits in real time, in turns of the event loop, for what a socket of the test's other end brings. */
export const eventually = (what: string, holds: () => boolean) =>
  Effect.callback<void>((resume) => {
    const from = Date.now()
    const look = () => {
      if (holds()) resume(Effect.void)
      else if (Date.now() - from > 20_000) resume(Effect.die(new Error(`never: ${what}`)))
      else setTimeout(look, 2)
    }
    look()
  })

/** Waits in real time until a session has counted that. */
export const counted = (session: IbkrSessionLive.Session, holds: (counters: IbkrCounters) => boolean) =>
  eventually("the counters say so", () => holds(Effect.runSync(session.counters)))

/** From here on the test's clock goes twenty times as fast as the machine's, for what both sockets and pauses take part in. */
export const ticking = Effect.forkScoped(
  Effect.forever(Effect.andThen(TestClock.withLive(Effect.sleep("1 millis")), TestClock.adjust("20 millis")))
)

/** A session loads its library when it first connects, which takes real time; a test whose time is its own waits for that first. */
export const libraryLoaded = Effect.promise(() => makeApi("127.0.0.1", 1))

/** Lets both ends of a connection of this process take what the other has sent. */
export const turns = Effect.promise(async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
})

/** Simulated time and the test's go on together, and what is sent arrives in between. */
export const passWith = (gateway: GatewaySimulator.GatewaySimulator) =>
  Effect.fnUntraced(function* (millis: number, step = 250) {
    for (let left = millis; left > 0; left -= step) {
      const part = Math.min(step, left)
      yield* TestClock.adjust(part)
      yield* turns
      yield* gateway.advance(part)
      yield* turns
    }
  })
