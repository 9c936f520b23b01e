/**
 * A vendor in process whose answers a test decides, request by request. It logs what it was asked; `answer` may wait, fail,
 * refuse or die.
 */
import { Duration, Effect } from "effect"
import { unlimited } from "../../../src/domain/VendorLimits.ts"
import type {
  Adapter,
  VendorAnswer,
  VendorError,
  VendorErrorReason,
  VendorRequest
} from "../../../src/services/Adapter.ts"

export interface ScriptedVendor {
  readonly adapter: Adapter
  readonly asked: ReadonlyArray<VendorRequest>
}

export { unlimited as limits } from "../../../src/domain/VendorLimits.ts"

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (payload: Uint8Array): string => new TextDecoder().decode(payload)

export const answer = (body: string | Uint8Array, refusal: VendorErrorReason | null = null): VendorAnswer => ({
  body: typeof body === "string" ? bytes(body) : body,
  metadata: {
    contentType: "text/plain",
    encoding: null,
    transportStatus: 200,
    url: null,
    elapsedMillis: 1,
    headers: {},
    adapter: {}
  },
  refusal
})

export const request = (params: VendorRequest["params"], method: VendorRequest["method"] = "GET"): VendorRequest => ({
  kind: "bars",
  method,
  params,
  body: null,
  weight: 1,
  keys: {}
})

export const make = (
  name: string,
  respond: (request: VendorRequest, count: number) => Effect.Effect<VendorAnswer, VendorError>,
  limits = unlimited
): ScriptedVendor => {
  const asked: Array<VendorRequest> = []
  const unused = Effect.die(new Error("not used in this test"))
  return {
    asked,
    adapter: {
      name,
      type: "scripted",
      description: "answers as the test says",
      account: `${name}-account`,
      limits,
      fetch: {
        series: () => unused,
        request: () => unused,
        fetch: (asking) =>
          Effect.suspend(() => {
            asked.push(asking)
            return respond(asking, asked.length)
          }),
        decode: () => unused,
        locate: () => unused,
        cost: () => 0,
        decoderVersion: 1
      },
      symbols: Effect.succeed([]),
      ping: Effect.succeed({ ok: true, elapsed: Duration.zero, detail: "in process" })
    }
  }
}
