/** The quota's windows against what a gateway counts: it sees requests arrive, each some time after it was let go. */
import { assert, describe, it } from "@effect/vitest"
import { historyWindows } from "../../../../src/layers/adapters/ibkr/ibkrLimits.ts"
import { HistoryPacing } from "../../../../src/layers/testing/gateway/serve/HistoryPacing.ts"

/** When each of so many requests may go, as early as the windows of these names let it. */
const departures = (count: number, keys: ReadonlyArray<string>): ReadonlyArray<number> => {
  const windows = historyWindows.filter(({ key }) => key !== null && keys.includes(key))
  const times: Array<number> = []
  for (let at = 0; at < count; at++) {
    times.push(
      windows.reduce(
        (earliest, { limit, span }) => Math.max(earliest, (times[at - limit] ?? Number.NEGATIVE_INFINITY) + span),
        times.at(-1) ?? 0
      )
    )
  }
  return times
}

describe("requests for history that take their time to arrive", () => {
  for (const [what, keys, request] of [
    ["of one contract", ["history", "contract"], (at: number) => `bars ${at}`],
    ["the same again and again", ["history", "contract", "identical"], () => "bars"]
  ] as const) {
    it(`${what}: none is one too many at the gateway`, () => {
      const gateway = new HistoryPacing()
      // Every other one is on its way for long, and that behind it is not.
      const arrivals = departures(130, keys).map((time, at) => time + (at % 2 === 0 ? 900 : 0))
      for (const [at, arrival] of arrivals.toSorted((a, b) => a - b).entries()) {
        assert.isTrue(gateway.admits(arrival, request(at), "AAPL", 1), `request ${at} at ${arrival}`)
      }
    })
  }
})
