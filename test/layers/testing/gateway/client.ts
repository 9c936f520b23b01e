import { Effect } from "effect"
import * as GatewaySimulator from "../../../../src/layers/testing/gateway/GatewaySimulator.ts"
import { RawClient } from "./RawClient.ts"

/** A started client that is closed with the scope. */
export const started = (port: number, clientId = 1, versions = "v100..193") =>
  Effect.acquireRelease(
    Effect.promise(() => RawClient.started(port, versions, clientId)),
    (client) => Effect.sync(() => client.close())
  )

/** A client that has only connected. */
export const connected = (port: number) =>
  Effect.acquireRelease(
    Effect.promise(() => RawClient.connect(port)),
    (client) => Effect.sync(() => client.close())
  )

export const gatewayAndClient = Effect.fnUntraced(function* (options: GatewaySimulator.GatewayOptions = {}) {
  const gateway = yield* GatewaySimulator.make(options)
  const client = yield* started(gateway.port)
  return { gateway, client }
})

/** The twelve fields of a contract. */
export const contract = (symbol: string, secType = "STK", exchange = "SMART", currency = "USD") =>
  [0, symbol, secType, "", 0, "", "", exchange, "", currency, "", ""] as const

/** Error codes with their request ids, in order. */
export const errorsOf = (client: RawClient): ReadonlyArray<string> =>
  client
    .of(4)
    .map(([, , reqId, code]) => `${reqId} ${code}`)
    .filter((text) => !/^-1 21\d\d$/.test(text))

export const answered = (client: RawClient) => Effect.promise(() => client.answered())
