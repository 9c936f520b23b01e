import { Effect, Layer } from "effect"
import { RpcClient } from "effect/rpc"
import { tenantHeader } from "../contract/Border.ts"

/** Whose data the calls of a client are about. */
export interface OfTenant {
  /** By name; that of the server unless given. One that the server does not know fails each call with TenantError. */
  readonly tenant?: string
}

/** Names the tenant with each call; a call that names one itself is left as it is. */
export const ofTenant =
  ({ tenant }: OfTenant) =>
  <E, R>(protocol: Layer.Layer<RpcClient.Protocol, E, R>): Layer.Layer<RpcClient.Protocol, E, R> =>
    tenant === undefined
      ? protocol
      : Layer.effect(
          RpcClient.Protocol,
          Effect.map(RpcClient.Protocol, (protocol) => ({
            ...protocol,
            send: (clientId, message, transferables) =>
              protocol.send(
                clientId,
                message._tag === "Request" && !message.headers.some(([name]) => name === tenantHeader)
                  ? { ...message, headers: [...message.headers, [tenantHeader, tenant]] }
                  : message,
                transferables
              )
          }))
        ).pipe(Layer.provide(protocol))
