import { Effect } from "effect"
import type { StreamKind } from "../../../../domain/streams/StreamKind.ts"
import type { AdapterRegistry, AdapterRegistryError } from "../../../../services/AdapterRegistry.ts"
import { problem } from "../problem.ts"
import type { Refusal } from "../Refusal.ts"

/** The vendor that is meant where none is named: the only one that streams this. */
export const vendorFor = Effect.fnUntraced(function* (
  registry: AdapterRegistry["Service"],
  kind: StreamKind
): Effect.fn.Return<string, Refusal | AdapterRegistryError> {
  const able: Array<string> = []
  for (const name of yield* registry.list) {
    const { stream } = yield* registry.resolve(name)
    if (stream?.kinds.includes(kind) === true) able.push(name)
  }
  const [only, ...others] = able
  if (only !== undefined && others.length === 0) return only
  return yield* Effect.fail(
    only === undefined
      ? problem(404, { detail: `no vendor of the configuration streams ${kind}`, error: "NoVendor" })
      : problem(400, {
          detail: `several vendors stream ${kind} (${able.join(", ")}); say which with ?vendor=NAME`,
          error: "SeveralVendors"
        })
  )
})
