/** Where the admin token of a server comes from. No flag takes it, since `ps` shows flags, and no file of settings has it. */
import { Config, Effect, Option, Redacted } from "effect"
import { type Sourced, variable } from "../Settings.ts"

export const tokenVariable = "TAPESTRY_ADMIN_TOKEN"
export const fileVariable = "TAPESTRY_ADMIN_TOKEN_FILE"

/** As the environment has it, one that is empty being none; and the file that is named. */
export const givenToken = Effect.gen(function* () {
  const token = yield* Effect.orDie(Config.option(Config.Redacted(tokenVariable)))
  return {
    token: Option.filter(token, (text) => Redacted.value(text) !== ""),
    file: yield* variable(fileVariable)
  }
})

/** For who wants to know whether there is one, and not which. */
export const adminTokenSource: Effect.Effect<Sourced<string>> = Effect.map(
  givenToken,
  ({ file, token }): Sourced<string> =>
    Option.isSome(file)
      ? { value: `of ${file.value}`, origin: "environment" }
      : Option.isSome(token)
        ? { value: "set", origin: "environment" }
        : { value: "off", origin: "default" }
)
