import { Effect, Result, Schema } from "effect"
import { Argument, Flag } from "effect/cli"
import { ConfigKey } from "../../../../domain/ConfigEntry.ts"
import { UsageError } from "../../../failure/UsageError.ts"

export const keyArgument = Argument.String("key").pipe(
  Argument.withDescription("What the value is called: letters, digits and . _ - : / @")
)

export const ifVersionFlag = Flag.Int("if-version").pipe(
  Flag.withMetavar("N"),
  Flag.withDescription("Only where the value has this version; 0: only where there is none"),
  Flag.optional
)

const decodeKey = Schema.decodeUnknownResult(ConfigKey)

export const configKey = (text: string): Effect.Effect<ConfigKey, UsageError> => {
  const key = decodeKey(text)
  return Result.isSuccess(key)
    ? Effect.succeed(key.success)
    : Effect.fail(
        new UsageError({
          message: `${JSON.stringify(text)} is no key: up to 200 letters, digits and . _ - : / @, the first a letter or a digit`
        })
      )
}
