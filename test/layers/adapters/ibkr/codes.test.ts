import { assert, describe, it } from "@effect/vitest"
import { farmOf, meaningOf, portOf, requestError } from "../../../../src/layers/adapters/ibkr/codes.ts"

const brief = (code: number, text: string, requestId: number) => {
  const { fatal, kind, retryable, scope } = meaningOf(code, text, requestId)
  return `${kind} ${scope}${fatal ? " fatal" : ""}${retryable ? " retryable" : ""}`
}

describe("what a code means", () => {
  for (const [code, text, requestId, expected] of [
    [502, "connect ECONNREFUSED", -1, "Connection session fatal retryable"],
    [504, "Not connected", -1, "Connection session fatal retryable"],
    [507, "Bad message length", -1, "Connection session fatal retryable"],
    [509, "Exception caught while reading socket", -1, "Connection session fatal retryable"],
    [1300, "Socket port has been reset", -1, "Connection session fatal retryable"],
    [506, "Unsupported Version 200", -1, "Version session fatal"],
    [326, "Unable to connect as the client id is already in use.", -1, "ClientId session fatal retryable"],
    [100, "Max rate of messages per second has been exceeded:max=50", -1, "Pacing session retryable"],
    [1100, "Connectivity between IB and TWS has been lost.", -1, "UpstreamLost session retryable"],
    [2110, "Connectivity between TWS and server is broken.", -1, "UpstreamLost session retryable"],
    [1101, "restored - data lost.", -1, "UpstreamRestored session"],
    [1102, "restored - data maintained.", -1, "UpstreamRestored session"],
    [2103, "Market data farm connection is broken:usfarm", -1, "Farm session retryable"],
    [2104, "Market data farm connection is OK:usfarm", -1, "Farm session retryable"],
    [2105, "HMDS data farm connection is broken:ushmds", -1, "Farm session retryable"],
    [2106, "HMDS data farm connection is OK:ushmds", -1, "Farm session retryable"],
    [
      2107,
      "HMDS data farm connection is inactive but should be available upon demand.ushmds",
      -1,
      "Farm session retryable"
    ],
    [
      2108,
      "Market data farm connection is inactive but should be available upon demand.usfarm",
      -1,
      "Farm session retryable"
    ],
    [2119, "Market data farm is connecting:usfarm", -1, "Farm session retryable"],
    [2157, "Sec-def data farm connection is broken:secdefnj", -1, "Farm session retryable"],
    [2158, "Sec-def data farm connection is OK:secdefnj", -1, "Farm session retryable"],
    [102, "Duplicate ticker ID.", 9, "Stale request fatal retryable"],
    [354, "Requested market data is not subscribed.", 9, "Permission request fatal"],
    [10089, "Requested market data requires additional subscription", 9, "Permission request fatal"],
    [
      10186,
      "Requested market data is not subscribed. Delayed market data is not enabled.",
      9,
      "Permission request fatal"
    ],
    [10189, "Failed to request tick-by-tick data", 9, "Permission request fatal"],
    [10167, "Displaying delayed market data.", 9, "Delayed request"],
    [10197, "No market data during competing live session", 9, "Competing request fatal retryable"],
    [10182, "Failed to request live updates (disconnected).", 9, "Stale request fatal retryable"],
    [10225, "Bust event occurred, current subscription is deactivated.", 9, "Stale request fatal retryable"],
    [101, "Max number of tickers has been reached", 9, "Quota request fatal retryable"],
    [309, "Max number (3) of market depth requests has been reached", 9, "Quota request fatal retryable"],
    [10190, "Max number of tick-by-tick requests has been reached.", 9, "Quota request fatal retryable"],
    [316, "Market depth data has been HALTED. Please re-subscribe.", 9, "Stale request fatal retryable"],
    [317, "Market depth data has been RESET.", 9, "Reset request"],
    [322, "Error processing request: Duplicate ticker id", 9, "Stale request fatal retryable"],
    [
      162,
      "Historical Market Data Service error message:HMDS query returned no data: X@SMART Trades",
      9,
      "NoData request fatal"
    ],
    [
      162,
      "Historical Market Data Service error message:Historical data request pacing violation",
      9,
      "Pacing request fatal retryable"
    ],
    [162, "Historical Market Data Service error message:API historical data query cancelled: 9", 9, "Notice request"],
    [
      162,
      "Historical Market Data Service error message:No market data permissions for NYSE STK",
      9,
      "Permission request fatal"
    ],
    [
      162,
      "Historical Market Data Service error message:Trading TWS session is connected from a different IP",
      9,
      "Failed request fatal retryable"
    ],
    [165, "Historical market Data Service query message", 9, "Notice request"],
    [366, "No historical data query found for ticker id:9", 9, "Notice request"],
    [200, "No security definition has been found for the request", 9, "NotFound request fatal"],
    [300, "Can't find EId with tickerId:9", 9, "Notice request"],
    [321, "Error validating request", 9, "Validation request fatal"],
    [420, "Invalid real-time query:Historical data request pacing violation", 9, "Pacing request fatal retryable"],
    [505, "Underrun error", -1, "Decode session"],
    [2150, "Invalid position trade derived value", 9, "Notice request"],
    [399, "Order Message: Warning: your order will not be placed at the exchange until", 9, "Notice request"],
    [12_345, "Something new", 9, "Failed request fatal"],
    [12_345, "Something new", -1, "Notice session"]
  ] as const) {
    it(`${code} ${text.slice(0, 60)} (${requestId})`, () => {
      assert.strictEqual(brief(code, text, requestId), expected)
    })
  }

  it("of a request it is an error, or none where the request lives on", () => {
    assert.isNull(requestError(10_167, "Displaying delayed market data."))
    assert.isNull(requestError(300, "Can't find EId with tickerId:9"))
    assert.strictEqual(requestError(309, "Max number")?._tag, "LinesExhausted")
    assert.strictEqual(requestError(10_197, "competing")?._tag, "CompetingSession")
    assert.strictEqual(requestError(12_345, "Something new")?._tag, "InvalidRequest")
    assert.strictEqual(requestError(162, "Trading TWS session is connected")?._tag, "RequestFailed")
  })

  it("of a port, the one to which the gateway goes", () => {
    assert.strictEqual(portOf("TWS socket port has been reset ... Please reconnect on the new port - 4003"), 4003)
    assert.strictEqual(portOf("Please reconnect on the new port: 7497."), 7497)
    assert.isNull(portOf("TWS socket port has been reset and this connection is being dropped."))
    assert.isNull(portOf("Please reconnect on the new port - 99999"))
  })

  it("of a farm, its name and how it is", () => {
    assert.deepStrictEqual(farmOf(2105, "HMDS data farm connection is broken:ushmds"), {
      name: "ushmds",
      serves: "history",
      state: "broken"
    })
    for (const [code, text, name, serves, state] of [
      [2103, "Market data farm connection is broken:usfarm", "usfarm", "market", "broken"],
      [2104, "Market data farm connection is OK:usfarm.nj", "usfarm.nj", "market", "ok"],
      [2106, "HMDS data farm connection is OK:ushmds", "ushmds", "history", "ok"],
      [2119, "Market data farm is connecting:cashfarm", "cashfarm", "market", "connecting"],
      [2157, "Sec-def data farm connection is broken:secdefnj", "secdefnj", "definitions", "broken"],
      [2158, "Sec-def data farm connection is OK:secdefnj", "secdefnj", "definitions", "ok"],
      // Whose name stands behind a sentence.
      [
        2107,
        "HMDS data farm connection is inactive but should be available upon demand.ushmds",
        "ushmds",
        "history",
        "inactive"
      ],
      [
        2108,
        "Market data farm connection is inactive but should be available upon demand.usfarm",
        "usfarm",
        "market",
        "inactive"
      ]
    ] as const) {
      assert.deepStrictEqual(farmOf(code, text), { name, serves, state })
    }
    assert.isNull(farmOf(1100, "Connectivity between IB and TWS has been lost."))
  })
})
