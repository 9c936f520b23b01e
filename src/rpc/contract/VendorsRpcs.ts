import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { VendorError } from "../../services/Adapter.ts"
import { AdapterRegistryError, VendorDescription } from "../../services/AdapterRegistry.ts"
import { VendorSession } from "../../services/VendorSession.ts"
import { OnShutdown } from "./Border.ts"

/** What a probe of a vendor found, and how long it took. */
export const Ping = Schema.Struct({ ok: Schema.Boolean, elapsedMillis: Schema.Finite, detail: Schema.String })
export interface Ping extends Schema.Schema.Type<typeof Ping> {}

const vendor = { vendor: Schema.String }

/** The vendors that the server knows. */
export class VendorsRpcs extends RpcGroup.make(
  /** In alphabetical order. */
  Rpc.make("Vendors.list", { success: Schema.Array(VendorDescription) }),
  Rpc.make("Vendors.describe", { payload: vendor, success: VendorDescription, error: AdapterRegistryError }),
  Rpc.make("Vendors.ping", {
    payload: vendor,
    success: Ping,
    error: Schema.Union([AdapterRegistryError, VendorError])
  }),
  /** The lasting connections, by the vendors' names. */
  Rpc.make("Vendors.sessions", { success: Schema.Array(VendorSession) }),
  /** That of one vendor, as it is and whenever its state changes; ends at once where it has none. */
  Rpc.make("Vendors.session", {
    payload: vendor,
    success: VendorSession,
    error: AdapterRegistryError,
    stream: true
  }).annotate(OnShutdown, "cut"),
  /** Known symbols, where the vendor can list them. */
  Rpc.make("Vendors.symbols", {
    payload: vendor,
    success: Schema.String,
    error: Schema.Union([AdapterRegistryError, VendorError]),
    stream: true
  }).annotate(OnShutdown, "cut")
) {}
