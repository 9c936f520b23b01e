import { assert, describe, it } from "@effect/vitest"
import { liveReadiness } from "../../../src/layers/streams/liveReadiness.ts"
import type { StreamState } from "../../../src/services/MarketStreams.ts"
import type { VendorSession } from "../../../src/services/VendorSession.ts"

const session: VendorSession = {
  vendor: "ibkr",
  place: "127.0.0.1:4001",
  state: "ready",
  problem: null,
  connection: 1,
  clientId: 7,
  serverVersion: 193,
  connectedAt: "20260410 12:00:00 EST",
  accounts: [],
  upstream: true,
  farms: [],
  clockSkew: 0,
  lines: 2
}
const stream = (state: StreamState["state"]) => ({
  state,
  key: { vendor: "ibkr", symbol: "AAPL", kind: "quotes", params: {} } as unknown as StreamState["key"]
})

describe("liveReadiness", () => {
  it("is there while sessions are connected or not needed, and everything asked for comes", () => {
    assert.deepStrictEqual(liveReadiness([], []), {
      ready: true,
      connected: true,
      rehydrated: true,
      active: 0,
      problems: []
    })
    const streams = [stream("live"), stream("filling"), stream("closed")]
    assert.deepInclude(liveReadiness([{ ...session, state: "idle" }, session], streams), { ready: true, active: 2 })
    // A broken farm does not take away the others.
    assert.isTrue(liveReadiness([{ ...session, state: "degraded", problem: "a farm" }], streams).ready)
  })

  it("is there while streams wait for room at their vendor, and says which", () => {
    const found = liveReadiness([session], [stream("live"), stream("waiting")])
    assert.deepInclude(found, { ready: true, rehydrated: true, active: 2 })
    assert.deepStrictEqual(found.problems, ["quotes of AAPL at ibkr: waiting"])
  })

  it("is not while a vendor is away, or something asked for does not come", () => {
    for (const state of ["connecting", "reconnecting", "closed"] as const) {
      const found = liveReadiness([{ ...session, state, problem: "refused" }], [])
      assert.deepInclude(found, { ready: false, connected: false, rehydrated: true })
      assert.deepStrictEqual(found.problems, ["ibkr: refused"])
    }
    assert.isFalse(liveReadiness([{ ...session, state: "degraded", upstream: false }], []).connected)
    for (const state of ["starting", "gap"] as const) {
      const found = liveReadiness([session], [stream("live"), stream(state)])
      assert.deepInclude(found, { ready: false, connected: true, rehydrated: false, active: 2 })
      assert.deepStrictEqual(found.problems, [`quotes of AAPL at ibkr: ${state}`])
    }
  })
})
