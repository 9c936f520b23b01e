import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { TapestryClient } from "../../rpc/client/TapestryClient.ts"
import { AdapterRegistry, type VendorDescription } from "../../services/AdapterRegistry.ts"
import { UsageError } from "../failure/UsageError.ts"

export const vendorFlag = Flag.String("vendor").pipe(
  Flag.withMetavar("VENDOR"),
  Flag.withDescription("Whose data; the vendor that streams unless given, where there is one"),
  Flag.optional
)

/** The vendors that the registry here has. */
export const vendorsHere = Effect.gen(function* () {
  const registry = yield* AdapterRegistry
  return yield* Effect.forEach(yield* registry.list, (name) => registry.describe(name))
})

/** The vendors that the owner of the data directory has. */
export const vendorsThere = (client: TapestryClient["Service"]) => client["Vendors.list"]()

/** The vendor that is meant. One that is named is taken as it is: whether it streams, it says itself. */
export const meantVendor = (
  given: Option.Option<string>,
  vendors: ReadonlyArray<VendorDescription>
): Effect.Effect<string, UsageError> => {
  if (Option.isSome(given)) return Effect.succeed(given.value)
  const names = vendors.filter(({ capabilities }) => capabilities.includes("stream")).map(({ name }) => name)
  const [only] = names
  if (only !== undefined && names.length === 1) return Effect.succeed(only)
  return Effect.fail(
    new UsageError({
      message:
        names.length === 0
          ? "no vendor of the configuration streams; docs/streams.md says which adapters do"
          : `several vendors stream (${names.join(", ")}); say which with --vendor`
    })
  )
}
