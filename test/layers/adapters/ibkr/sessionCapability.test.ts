/** The session in the words of all vendors, against a real one over sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { sessionCapability } from "../../../../src/layers/adapters/ibkr/sessionCapability.ts"
import { Disconnected, type IbkrState } from "../../../../src/services/IbkrSession.ts"
import type { VendorSession } from "../../../../src/services/VendorSession.ts"
import { scripted, welcome } from "./scriptedGateway.ts"
import { eventually, sessionAt } from "./session.ts"

/** What is told of a state of a session that was ready once. */
const told = (state: IbkrState) =>
  sessionCapability("ibkr", "there:4001", {
    state: Effect.succeed(state),
    changes: Stream.empty,
    ready: Effect.never,
    counters: Effect.succeed({
      frames: 0,
      bytes: 0,
      damaged: 0,
      undecodable: 0,
      late: 0,
      sent: 0,
      reconnects: 0,
      connections: 1,
      lines: 3,
      defects: 0
    })
  }).now

describe("the session of a vendor", () => {
  it.effect("is told as it is, and at every change", () =>
    Effect.gen(function* () {
      const gateway = yield* scripted({
        onStart: (talk) => {
          welcome(talk)
          talk.send(4, 2, -1, 2103, "Market data farm connection is broken:usfarm", "")
        }
      })
      const session = yield* sessionAt(gateway.port)
      const capability = sessionCapability("ibkr", `127.0.0.1:${gateway.port}`, session)
      assert.deepInclude(yield* capability.now, {
        vendor: "ibkr",
        state: "idle",
        connection: 0,
        accounts: [],
        lines: 0
      })
      const seen: Array<VendorSession> = []
      yield* Effect.forkScoped(Stream.runForEach(capability.changes, (one) => Effect.sync(() => seen.push(one))))
      yield* eventually("the first is told", () => seen.length > 0)
      yield* session.ready
      yield* eventually("the farm is told", () => seen.at(-1)?.state === "degraded")
      const states = seen.map(({ state }) => state)
      assert.deepStrictEqual(states.slice(0, 2), ["idle", "connecting"])
      const now = yield* capability.now
      assert.deepInclude(now, {
        place: `127.0.0.1:${gateway.port}`,
        state: "degraded",
        problem: "a data farm is broken: usfarm",
        upstream: true,
        connection: 1,
        clientId: 7,
        accounts: ["DU1", "DU2"]
      })
    })
  )

  it.effect("says what stands in its way", () =>
    Effect.gen(function* () {
      const cause = new Disconnected({ message: "the gateway has closed the connection" })
      assert.deepInclude(yield* told({ _tag: "Reconnecting", attempt: 3, after: 4_000, clientId: 8, cause }), {
        state: "reconnecting",
        problem: "the gateway has closed the connection",
        connection: 1,
        clientId: 8,
        serverVersion: null,
        lines: 3
      })
      assert.deepInclude(yield* told({ _tag: "Closed", cause: null }), { state: "closed", problem: null })
      const gateway = { clientId: 7, serverVersion: 193, connectedAt: "", accounts: [], farms: [], clockSkew: null }
      const lost = yield* told({ _tag: "Degraded", ...gateway, connection: 1, upstream: true })
      // Of a session that says that its upstream is down.
      assert.deepInclude(lost, { upstream: false, problem: "the gateway has lost its line to IB" })
    })
  )
})
