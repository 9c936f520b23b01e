/** A lookup by a command: through the archive, which answers for a day, by whoever owns the data directory. */
import { Data, Effect, Option, type Result } from "effect"
import { Flag } from "effect/cli"
import type { VendorRequest } from "../../../services/Adapter.ts"
import { AdapterRegistry } from "../../../services/AdapterRegistry.ts"
import { IngestSession } from "../../../services/IngestSession.ts"
import { UsageError } from "../../failure/UsageError.ts"
import { gatewaySettings } from "../../gatewaySettings.ts"
import { settings } from "../../Settings.ts"
import { withOwner } from "../../withData.ts"

/** An answer that cannot be read, or a directory in which another process asks. */
class LookupError extends Data.TaggedError("LookupError")<{ readonly message: string }> {}

export const vendorFlag = Flag.String("vendor").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("The vendor of the configuration whose gateway is asked; the only one unless given"),
  Flag.optional
)

const day = 86_400_000

const vendorOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const { config, file } = yield* settings
  const { gateway } = yield* gatewaySettings(file)
  const name = Option.getOrElse(given, () => gateway.vendor.name)
  const found = config.vendors.find((vendor) => vendor.name === name)
  if (found?.adapter === "ibkr") return name
  return yield* new UsageError({
    message:
      found === undefined
        ? `no vendor ${name}; set IB_HOST or IB_PORT, or configure one of adapter ibkr`
        : `${name} is a vendor of adapter ${found.adapter}, not of ibkr`
  })
})

export const lookedUp = Effect.fnUntraced(function* <A>(
  given: Option.Option<string>,
  request: VendorRequest,
  decode: (payload: Uint8Array) => Result.Result<A, string>
) {
  const name = yield* vendorOf(given)
  const own = Effect.scoped(
    Effect.gen(function* () {
      yield* AdapterRegistry.use((registry) => registry.describe(name))
      const session = yield* IngestSession.use((ingest) => ingest.open({ source: name, mode: "sync" }))
      return yield* session.fetch(request, { cacheMode: { _tag: "default", ttl: day } })
    })
  )
  const { payload } = yield* withOwner(own, () =>
    Effect.fail(
      new LookupError({
        message:
          "another process owns the data directory and asks its vendors alone; give this command another --data-dir"
      })
    )
  )
  return yield* Effect.mapError(
    Effect.fromResult(decode(payload)),
    (message) => new LookupError({ message: `the gateway's answer cannot be read: ${message}` })
  )
})
