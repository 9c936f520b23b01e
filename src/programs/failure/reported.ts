import { Cause, Effect } from "effect"
import { isCliError } from "effect/cli/CliError"
import { Output, OutputClosed } from "../terminal/Output.ts"
import { styleOf } from "../terminal/Style.ts"
import { Ended } from "./Ended.ts"
import { documentOf, type ErrorDocument } from "./Failure.ts"
import { UsageError } from "./UsageError.ts"
import * as UsagePresenter from "./UsagePresenter.ts"

/**
 * The outermost handler: whatever a command failed with becomes one line on standard error and, with `json`, the error
 * document on standard output. What is left is the exit code. Wrong usage has been shown by the presenter by then; a reader
 * that went away (OutputClosed) is not told anything.
 */
export const reported =
  (options: { readonly json: boolean }) =>
  <E, R>(program: Effect.Effect<void, E, R>): Effect.Effect<void, Ended | OutputClosed, R | Output> =>
    Effect.catchCause(
      program,
      Effect.fnUntraced(function* (cause: Cause.Cause<E>): Effect.fn.Return<void, Ended | OutputClosed, Output> {
        const output = yield* Output
        const print = (document: ErrorDocument) =>
          options.json
            ? Effect.catchTag(output.line(JSON.stringify(document)), "OutputFailed", () => Effect.void)
            : Effect.void
        const style = styleOf(output.errorTerminal)
        if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
        const error = Cause.squash(cause)
        if (error instanceof Ended || error instanceof OutputClosed) return yield* error
        if (isCliError(error) && error._tag === "ShowHelp") {
          yield* print(UsagePresenter.documentOf(error))
          return yield* new Ended({ code: UsagePresenter.exitCode })
        }
        const document = documentOf(cause)
        yield* output.note(`${style.red("error:")} ${document.error.message.replaceAll("\n", "\n  ")}`)
        yield* print(document)
        // A setting of the environment, read before any command is chosen.
        return yield* new Ended({ code: error instanceof UsageError ? UsagePresenter.exitCode : 1 })
      })
    )
