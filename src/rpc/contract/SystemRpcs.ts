import { Schema } from "effect"
import { Rpc, RpcGroup } from "effect/rpc"
import { EpochMillis } from "../../domain/TimeRange.ts"

/** Raised when a client of an older release can no longer be served; docs/protocol.md has the rule of compatibility. */
export const protocolVersion = 1

/** What a server is. `procedures` are the tags that it serves; `capabilities` name what it can do beyond them. */
export const Hello = Schema.Struct({
  protocol: Schema.Int,
  /** The release, as `tapestry --version` prints it. */
  product: Schema.String,
  capabilities: Schema.Array(Schema.String),
  procedures: Schema.Array(Schema.String),
  startedAt: EpochMillis,
  /** The server's clock, UTC epoch milliseconds. */
  now: EpochMillis
})
export interface Hello extends Schema.Schema.Type<typeof Hello> {}

/** `ready`: the stores answer and new calls are taken. */
export const Health = Schema.Struct({
  ready: Schema.Boolean,
  checks: Schema.Array(Schema.Struct({ name: Schema.String, ok: Schema.Boolean, detail: Schema.String }))
})
export interface Health extends Schema.Schema.Type<typeof Health> {}

export class SystemRpcs extends RpcGroup.make(
  Rpc.make("System.hello", { success: Hello }),
  Rpc.make("System.health", { success: Health })
) {}
