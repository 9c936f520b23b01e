import { Schema } from "effect"

/** What is no name of a tenant: 1 to 63 of a-z, 0-9 and -, the first and the last no -. */
export class TenantMalformed extends Schema.TaggedError<TenantMalformed>()("TenantMalformed", {
  tenant: Schema.String,
  message: Schema.String
}) {}
/** The store has none of that name. */
export class NoSuchTenant extends Schema.TaggedError<NoSuchTenant>()("NoSuchTenant", {
  tenant: Schema.String,
  message: Schema.String
}) {}
/** So many tenants are at work in the process already, and it opens no more. */
export class TooManyTenants extends Schema.TaggedError<TooManyTenants>()("TooManyTenants", {
  tenant: Schema.String,
  max: Schema.Int
}) {}
/** It is there, and what it has cannot be opened; `message` says why. */
export class TenantUnavailable extends Schema.TaggedError<TenantUnavailable>()("TenantUnavailable", {
  tenant: Schema.String,
  message: Schema.String
}) {}

/** Why nothing can be done for the tenant that is named. Only who names one meets it. */
export class TenantError extends Schema.TaggedError<TenantError>()("TenantError", {
  reason: Schema.Union([TenantMalformed, NoSuchTenant, TooManyTenants, TenantUnavailable])
}) {
  override get message(): string {
    const reason = this.reason
    return reason._tag === "TooManyTenants"
      ? `${reason.max} tenants are at work in this process, and ${reason.tenant} would be one more; try again when one of them has done, or start another server for it`
      : reason.message
  }
}
