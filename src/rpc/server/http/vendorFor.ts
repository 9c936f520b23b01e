import { Effect } from "effect"
import type { StreamKind } from "../../../domain/streams/StreamKind.ts"
import type { Adapter } from "../../../services/Adapter.ts"
import type { AdapterRegistry, AdapterRegistryError } from "../../../services/AdapterRegistry.ts"
import { problem } from "./problem.ts"
import type { Refusal } from "./Refusal.ts"

/** What a vendor is wanted for, and in words that follow its name. */
export interface Wanted {
  readonly able: (adapter: Adapter) => boolean
  readonly words: string
}

export const streaming = (kind: StreamKind): Wanted => ({
  able: ({ stream }) => stream?.kinds.includes(kind) === true,
  words: `streams ${kind}`
})

/** The vendor that is meant where none is named: the only one that can, the bundled sample not counted where there is another. */
export const vendorFor = Effect.fnUntraced(function* (
  registry: AdapterRegistry["Service"],
  { able, words }: Wanted
): Effect.fn.Return<string, Refusal | AdapterRegistryError> {
  const all: Array<string> = []
  for (const name of yield* registry.list) if (able(yield* registry.resolve(name))) all.push(name)
  const own = all.filter((name) => name !== "sample")
  const names = own.length > 0 ? own : all
  const [only, ...others] = names
  if (only !== undefined && others.length === 0) return only
  return yield* Effect.fail(
    only === undefined
      ? problem(404, { detail: `no vendor of the configuration ${words}`, error: "NoVendor" })
      : problem(400, {
          detail: `more than one vendor ${words} (${names.join(", ")}); say which with ?vendor=NAME`,
          error: "SeveralVendors"
        })
  )
})
