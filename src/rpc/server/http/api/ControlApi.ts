/** The control plane over HTTP, for who has curl and no RPC client. */
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, OpenApi } from "effect/http-api"
import { SchemaVersion } from "../../../contract/StoreRpcs.ts"
import { storeProblems } from "./Problems.ts"

export class StoreApi extends HttpApiGroup.make("store")
  .add(
    HttpApiEndpoint.get("schemaVersion", "/schema/version", {
      success: SchemaVersion,
      error: [...storeProblems]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "The schema version that the market store has, what this release needs, and how the two stand"
      })
    )
  )
  .annotateMerge(OpenApi.annotations({ title: "Store", description: "The market store itself" })) {}

export class ControlApi extends HttpApi.make("tapestry")
  .add(StoreApi)
  .middleware(HttpApiMiddleware.ProblemDetails)
  .annotateMerge(
    OpenApi.annotations({
      title: "Tapestry, control plane",
      version: "1",
      description: "Calls of the RPC (POST /rpc, GET /rpc) are described in docs/protocol.md."
    })
  ) {}
