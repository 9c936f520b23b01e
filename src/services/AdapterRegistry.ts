import { Context, type Effect, Schema, type Scope } from "effect"
import { VendorLimits } from "../domain/VendorLimits.ts"
import type { Adapter, FetchCapability, PingReport, SendCapability, VendorError } from "./Adapter.ts"
import type { StreamCapability } from "./StreamCapability.ts"

/** What a vendor can be used for. */
export const Capability = Schema.Literals(["fetch", "send", "stream"])
export type Capability = typeof Capability.Type

/** A vendor of this name is registered already. */
export class DuplicateVendor extends Schema.TaggedError<DuplicateVendor>()("DuplicateVendor", {
  vendor: Schema.String
}) {}
/** No such vendor; `known` lists those there are. */
export class UnknownVendor extends Schema.TaggedError<UnknownVendor>()("UnknownVendor", {
  vendor: Schema.String,
  known: Schema.Array(Schema.String)
}) {}
/** The vendor cannot do this; `has` lists what it can. */
export class MissingCapability extends Schema.TaggedError<MissingCapability>()("MissingCapability", {
  vendor: Schema.String,
  capability: Capability,
  has: Schema.Array(Capability)
}) {}

/** What can go wrong in the registry; nothing of it succeeds when it is tried again unchanged. */
export class AdapterRegistryError extends Schema.TaggedError<AdapterRegistryError>()("AdapterRegistryError", {
  reason: Schema.Union([DuplicateVendor, UnknownVendor, MissingCapability])
}) {
  override get message(): string {
    const reason = this.reason
    switch (reason._tag) {
      case "DuplicateVendor":
        return `a vendor named ${reason.vendor} is registered already; unregister it first or give this one another name`
      case "UnknownVendor":
        return `no vendor named ${reason.vendor}; known: ${reason.known.length === 0 ? "none" : reason.known.join(", ")}`
      case "MissingCapability":
        return `vendor ${reason.vendor} cannot ${reason.capability}; it can: ${reason.has.length === 0 ? "nothing" : reason.has.join(", ")}`
    }
  }
}

/** What a registry tells of a vendor. */
export const VendorDescription = Schema.Struct({
  name: Schema.String,
  type: Schema.String,
  description: Schema.String,
  account: Schema.String,
  capabilities: Schema.Array(Capability),
  /** What it can be asked beside rows (`describe`, `search` …); absent: nothing. */
  lookups: Schema.optionalKey(Schema.Array(Schema.String)),
  decoderVersion: Schema.NullOr(Schema.Int),
  limits: VendorLimits
})
export interface VendorDescription extends Schema.Schema.Type<typeof VendorDescription> {}

/** Vendor name to adapter, for as long as each one's scope lives. */
export class AdapterRegistry extends Context.Service<
  AdapterRegistry,
  {
    /**
     * Makes an adapter and registers it until the surrounding scope closes. The adapter's own resources are in a scope of
     * its own: it is closed when the surrounding scope closes, when `unregister` is called, and when making the adapter or
     * registering it fails.
     */
    readonly register: <E, R>(
      make: Effect.Effect<Adapter, E, R>
    ) => Effect.Effect<Adapter, E | AdapterRegistryError, Exclude<R, Scope.Scope> | Scope.Scope>
    /** Unregisters and closes now; an unknown name is an error that lists the known ones. */
    readonly unregister: (vendor: string) => Effect.Effect<void, AdapterRegistryError>
    readonly clear: Effect.Effect<void>
    readonly resolve: (vendor: string) => Effect.Effect<Adapter, AdapterRegistryError>
    readonly fetcher: (
      vendor: string
    ) => Effect.Effect<Adapter & { readonly fetch: FetchCapability }, AdapterRegistryError>
    readonly sender: (
      vendor: string
    ) => Effect.Effect<Adapter & { readonly send: SendCapability }, AdapterRegistryError>
    readonly streamer: (
      vendor: string
    ) => Effect.Effect<Adapter & { readonly stream: StreamCapability }, AdapterRegistryError>
    /** Names in alphabetical order. */
    readonly list: Effect.Effect<ReadonlyArray<string>>
    readonly describe: (vendor: string) => Effect.Effect<VendorDescription, AdapterRegistryError>
    readonly ping: (vendor: string) => Effect.Effect<PingReport, AdapterRegistryError | VendorError>
  }
>()("tapestry/AdapterRegistry") {}
