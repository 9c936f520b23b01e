/** What can go wrong with any call at the border between a client and the runtime, whatever the procedure. */
import { Context, Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"
import { TenantError } from "../../services/TenantError.ts"

/**
 * What a client sent cannot be served. `MalformedLine`: no JSON, or no UTF-8. `NotAMessage`: JSON that is no message of the
 * protocol. `UnknownProcedure`, `BadPayload`: a request that this server does not understand. `DuplicateId`: a call of that id is
 * under way; it goes on. `TooLong`: a line of more than 1 MiB, after which the connection is closed.
 */
export const ProtocolErrorCode = Schema.Literals([
  "MalformedLine",
  "NotAMessage",
  "UnknownProcedure",
  "BadPayload",
  "DuplicateId",
  "TooLong"
])
export type ProtocolErrorCode = typeof ProtocolErrorCode.Type

/** `line` counts from 1 on its connection (over HTTP: in its body); over WebSocket it counts messages. */
export class ProtocolError extends Schema.TaggedError<ProtocolError>()("ProtocolError", {
  code: ProtocolErrorCode,
  line: Schema.Int,
  id: Schema.optionalKey(Schema.Union([Schema.String, Schema.Finite])),
  message: Schema.String
}) {}

/** The connection (or the server) has as many calls, streams or connections open as it may; close some, or wait. */
export class TooBusy extends Schema.TaggedError<TooBusy>()("TooBusy", {
  limit: Schema.Literals(["calls", "streams", "connections"]),
  max: Schema.Int
}) {
  override get message(): string {
    return `${this.max} ${this.limit} are open already; end some, or try again later`
  }
}

/** A mistake of ours. What happened is in the server's log under `incident`, and only there. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", { incident: Schema.String }) {
  override get message(): string {
    return `internal error; the server's log has it as incident ${this.incident}`
  }
}

/** The server is going down: the call was not begun, or was cut off. Safe to repeat against the next server. */
export class ShuttingDown extends Schema.TaggedError<ShuttingDown>()("ShuttingDown", {}) {
  override get message(): string {
    return "the server is shutting down; try again"
  }
}

/** Among the headers of a call: whose data it is about, by name. Without it: of the tenant that the server was started for. */
export const tenantHeader = "tapestry-tenant"

/** TenantError comes only to who names a tenant. */
export const BorderError = Schema.Union([ProtocolError, TooBusy, InternalError, ShuttingDown, TenantError])
export type BorderError = typeof BorderError.Type

/** Puts the border's errors into the contract of every procedure; on the server it also names, counts and logs each call. */
export class Border extends RpcMiddleware.Service<Border>()("tapestry/Border", { error: BorderError }) {}

/**
 * What becomes of a call when the server goes down: `finish` gives it the time that draining takes (10 s); `cut` ends it at once
 * with ShuttingDown (streams of rows, which can be asked for again at no cost).
 */
export const OnShutdown = Context.Reference<"finish" | "cut">("tapestry/OnShutdown", { defaultValue: () => "finish" })
