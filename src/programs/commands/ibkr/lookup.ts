/** A lookup by a command: through the archive, which answers for a day, by whoever owns the data directory. */
import { Effect, Option } from "effect"
import { Flag } from "effect/cli"
import type { VendorDescription } from "../../../services/AdapterRegistry.ts"
import { ContractLookups } from "../../../services/ContractLookups.ts"
import { UsageError } from "../../failure/UsageError.ts"
import { vendorsHere, vendorsThere } from "../../streams/streamVendor.ts"
import { withOwner } from "../../withData.ts"

export const vendorFlag = Flag.String("vendor").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("The vendor of the configuration whose gateway is asked; the only one unless given"),
  Flag.optional
)

/** The gateway that is meant: the one named, or `ibkr`, or the only one. */
export const gatewayOf = (
  given: Option.Option<string>,
  vendors: ReadonlyArray<VendorDescription>
): Effect.Effect<string, UsageError> => {
  const gateways = vendors.filter(({ type }) => type === "ibkr").map(({ name }) => name)
  const name = Option.getOrElse(given, () => (gateways.length === 1 ? gateways[0] : undefined) ?? "ibkr")
  if (gateways.includes(name)) return Effect.succeed(name)
  const other = vendors.find((vendor) => vendor.name === name)
  const message =
    other !== undefined
      ? `${name} is a vendor of adapter ${other.type}, not of ibkr`
      : gateways.length > 1 && Option.isNone(given)
        ? `several gateways are configured (${gateways.join(", ")}); say which with --vendor`
        : `no vendor ${name}; set IB_HOST or IB_PORT, or configure one of adapter ibkr`
  return Effect.fail(new UsageError({ message }))
}

/** What is asked of the gateway that is meant, here or by the owner of the data directory. */
export const lookedUp = <A, E, R>(
  given: Option.Option<string>,
  ask: (lookups: ContractLookups["Service"], vendor: string) => Effect.Effect<A, E, R>
) => {
  const of = Effect.fnUntraced(function* (vendors: ReadonlyArray<VendorDescription>) {
    const vendor = yield* gatewayOf(given, vendors)
    return yield* ask(yield* ContractLookups, vendor)
  })
  return withOwner(Effect.flatMap(vendorsHere, of), (client) => Effect.flatMap(vendorsThere(client), of))
}
