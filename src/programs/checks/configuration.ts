import { Cause, Effect, Exit } from "effect"
import { documentOf } from "../failure/Failure.ts"
import { counted } from "../format/Numbers.ts"
import { settings } from "../Settings.ts"
import { failed, ok } from "./Check.ts"

/** Whether the configuration file can be read and says something that holds. */
export const checkConfiguration = Effect.gen(function* () {
  const exit = yield* Effect.exit(settings)
  if (Exit.isFailure(exit)) {
    if (Cause.hasInterrupts(exit.cause)) return yield* Effect.interrupt
    return [failed("configuration", documentOf(exit.cause).error.message)]
  }
  const { config, configFile } = exit.value
  return [
    ok(
      "configuration",
      configFile.value === null
        ? "no file, the defaults hold"
        : `${configFile.value}, ${counted(config.vendors.length, "vendor")}`
    )
  ]
})
