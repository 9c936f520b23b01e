/** Who may change a deployment as a whole. */
import { Schema } from "effect"
import { RpcMiddleware } from "effect/rpc"

/** The call has no admin token, or another one. */
export class Unauthenticated extends Schema.TaggedError<Unauthenticated>()("Unauthenticated", {
  message: Schema.String
}) {}
/** No token helps: the server has none, and so nobody may do this over the network. */
export class AdminOff extends Schema.TaggedError<AdminOff>()("AdminOff", { message: Schema.String }) {}
/** The call names a tenant, and what it would do is nothing of a tenant's. */
export class NotOfTenant extends Schema.TaggedError<NotOfTenant>()("NotOfTenant", {
  tenant: Schema.String,
  message: Schema.String
}) {}

/** Why a call that changes the deployment was not begun. NotOfTenant comes only to who names a tenant. */
export class AdminError extends Schema.TaggedError<AdminError>()("AdminError", {
  reason: Schema.Union([Unauthenticated, AdminOff, NotOfTenant])
}) {
  override get message(): string {
    return this.reason.message
  }
}

/**
 * Lets a call pass that has `authorization: Bearer TOKEN` among its headers, or that came over the Unix socket, whose file mode is the
 * guard. Payloads are read before, and handlers not begun.
 */
export class AdminOnly extends RpcMiddleware.Service<AdminOnly>()("tapestry/AdminOnly", { error: AdminError }) {}
