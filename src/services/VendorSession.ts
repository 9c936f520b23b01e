import { type Effect, Schema, type Stream } from "effect"

/**
 * A lasting connection to a vendor as an operator sees it. `idle`: nobody has needed it yet. `degraded`: connected, while something behind the
 * vendor's server is away: all of it where `upstream` is false, else what `farms` names. `reconnecting`: a pause between two attempts. `closed`: it will
 * not connect again. What is known only of a connection is null, or empty, without one.
 */
export const VendorSession = Schema.Struct({
  vendor: Schema.String,
  /** Whom it connects to, as `127.0.0.1:4001`. */
  place: Schema.String,
  state: Schema.Literals(["idle", "connecting", "ready", "degraded", "reconnecting", "closed"]),
  /** What stands in its way, in words; null: nothing. */
  problem: Schema.NullOr(Schema.String),
  /** How often it has become ready. */
  connection: Schema.Int,
  clientId: Schema.NullOr(Schema.Int),
  serverVersion: Schema.NullOr(Schema.Int),
  /** By the vendor's clock, in its own words. */
  connectedAt: Schema.NullOr(Schema.String),
  accounts: Schema.Array(Schema.String),
  upstream: Schema.Boolean,
  farms: Schema.Array(Schema.Struct({ name: Schema.String, serves: Schema.String, state: Schema.String })),
  /** The vendor's clock minus ours in milliseconds; null until it was told. */
  clockSkew: Schema.NullOr(Schema.Finite),
  /** Subscriptions that it has at the vendor, or will have again when it is connected. */
  lines: Schema.Int
})
export interface VendorSession extends Schema.Schema.Type<typeof VendorSession> {}

/** The session of an adapter that has one. */
export interface SessionCapability {
  readonly now: Effect.Effect<VendorSession>
  /** As it is and whenever its state changes; a reader that is behind misses states in between. */
  readonly changes: Stream.Stream<VendorSession>
  /** Has it connect though nothing needs it yet, and try until it has. Done when it is connected, or when its patience is over. */
  readonly connect: Effect.Effect<void>
}
