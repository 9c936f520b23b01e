import { Effect, Option, Schema } from "effect"
import { TenantName } from "../../domain/Tenant.ts"
import { UsageError } from "../failure/UsageError.ts"

/** `given`: where it comes from, as the message has it. */
export const tenantName = (name: string, given = "tenant"): Effect.Effect<TenantName, UsageError> =>
  Option.match(Schema.decodeUnknownOption(TenantName)(name), {
    onNone: () =>
      Effect.fail(
        new UsageError({
          message: `${given} ${JSON.stringify(name)}: a tenant's name is 1 to 63 of a-z, 0-9 and -, and begins and ends with none of the last`
        })
      ),
    onSome: Effect.succeed
  })
