/** The control plane as one effect that answers a request; loaded when the first comes. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpPlatform from "@effect/platform-node/NodeHttpPlatform"
import * as NodePath from "@effect/platform-node/NodePath"
import { Effect, Layer } from "effect"
import { Etag, HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import { ControlPlane } from "../../../../services/ControlPlane.ts"
import { ControlApi } from "./ControlApi.ts"
import { ofStore } from "./Problems.ts"

const StoreHandlers = HttpApiBuilder.group(
  ControlApi,
  "store",
  Effect.fnUntraced(function* (handlers) {
    const control = yield* ControlPlane
    return handlers.handle("schemaVersion", () =>
      Effect.mapBoth(control.schema, {
        onSuccess: ({ expected, state, version }) => ({ version, expected, state }),
        onFailure: ofStore
      })
    )
  })
)

const Api = HttpApiBuilder.layer(ControlApi, { openapiPath: "/openapi.json" }).pipe(
  Layer.provide(StoreHandlers),
  Layer.provide(HttpApiMiddleware.layerProblemDetails({ includeDetails: true })),
  Layer.provide([NodeHttpPlatform.layer, Etag.layer, NodeFileSystem.layer, NodePath.layer])
)

export const make = HttpRouter.toHttpEffect(Api)
