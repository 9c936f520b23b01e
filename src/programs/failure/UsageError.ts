import { Data, Effect, Option, References } from "effect"
import { ShowHelp, ValidationError } from "effect/cli/CliError"
import { LogLevel } from "../flags/GlobalFlags.ts"
import { levelOf } from "../logLevels.ts"

/** The command line says something that cannot be meant: a bad date, a reversed range, flags that exclude each other. */
export class UsageError extends Data.TaggedError("UsageError")<{ readonly message: string }> {}

/** With the log level of the flag, where it is given. */
const atLevel = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const flag = yield* LogLevel
  return yield* Option.isNone(flag)
    ? effect
    : Effect.provideService(effect, References.MinimumLogLevel, levelOf(flag.value))
})

/**
 * For the end of every command's handler: a UsageError becomes the parser's own kind of error, so that both are shown alike
 * (and end with 2); any failure's cause goes to the log, where `--log-level debug` shows it with its trace.
 */
export const asCommand =
  (...path: ReadonlyArray<string>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    effect.pipe(
      Effect.tapCause((cause) => Effect.logDebug("the command failed", cause)),
      atLevel,
      Effect.catchIf(
        (error): error is Extract<E, UsageError> => error instanceof UsageError,
        ({ message }) =>
          Effect.fail(new ShowHelp({ commandPath: ["tapestry", ...path], errors: [new ValidationError({ message })] }))
      )
    )
