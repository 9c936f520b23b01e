/** Clients of the handlers without a wire: everything but the encoding. */
import { Layer } from "effect"
import { RpcTest } from "effect/rpc"
import { TapestryClient } from "../../../src/rpc/client/TapestryClient.ts"
import { TapestryRpcs } from "../../../src/rpc/contract/TapestryRpcs.ts"
import * as AdminOnlyLive from "../../../src/rpc/handlers/AdminOnlyLive.ts"
import * as BorderLive from "../../../src/rpc/handlers/BorderLive.ts"
import * as Handlers from "../../../src/rpc/handlers/Handlers.ts"
import { ServerInfo } from "../../../src/rpc/handlers/ServerInfo.ts"
import { adminToken } from "../adminToken.ts"

const info = Layer.succeed(ServerInfo, { product: "0.0.0-test", startedAt: 0 })

export const client = Layer.effect(TapestryClient, RpcTest.makeClient(TapestryRpcs)).pipe(
  Layer.provide([Layer.provide(Handlers.layer, info), BorderLive.layer, AdminOnlyLive.layer(adminToken)])
)
