/**
 * How the parser's events reach the user. effect/cli prints the help of a wrong invocation on standard output and ends with 1;
 * here standard output stays empty (or holds the error document, with `--json`), the error and the usage go to standard
 * error, and the exit code is 2. Help that was asked for goes to standard output and ends with 0.
 */
import { Effect } from "effect"
import type { NonShowHelpErrors, ShowHelp } from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import type { HelpDoc } from "effect/cli/HelpDoc"
import { helpText } from "../format/HelpText.ts"
import { Output, type Terminal } from "../terminal/Output.ts"
import { oneLine, styleOf } from "../terminal/Style.ts"

/** 2: wrong usage. A command group without a subcommand is one, too. */
export const exitCode = 2

/** The parser's message as one line: `Unrecognized flag: --form in command tapestry bars; did you mean --from?` */
const sentence = (error: NonShowHelpErrors): string => {
  const suggestions = error._tag === "UnrecognizedOption" || error._tag === "UnknownSubcommand" ? error.suggestions : []
  const [text = ""] = error.message.split("\n\n  Did you mean")
  return oneLine(suggestions.length === 0 ? text : `${text}; did you mean ${suggestions.join(" or ")}?`)
}

/** The error document of wrong usage. */
export const documentOf = (error: ShowHelp) => ({
  error: {
    _tag: "UsageError",
    reason: error.errors[0]?._tag ?? "MissingSubcommand",
    message: error.errors.length === 0 ? "a subcommand is missing" : error.errors.map(sentence).join("; ")
  }
})

const usage = (doc: HelpDoc, path: ReadonlyArray<string>): ReadonlyArray<string> => [
  `usage: ${doc.usage}`,
  `Run '${path.join(" ")} --help' for what it takes, with examples.`
]

export const layer = CliOutput.layerPresenter({
  present: Effect.fnUntraced(function* (event: CliOutput.Presenter.Event): Effect.fn.Return<void, never, never> {
    const output = yield* Effect.serviceOption(Output)
    if (output._tag === "None") return yield* CliOutput.defaultPresenter.present(event)
    const { line, note, terminal, errorTerminal } = output.value
    const toHelp = (to: Terminal, doc: HelpDoc) => helpText(doc, to.isTerminal ? to.columns : 100, styleOf(to))
    switch (event._tag) {
      case "Version":
        return yield* Effect.ignore(line(`${event.name} ${event.version}`))
      case "Help":
        return event.reason === "Requested"
          ? yield* Effect.ignore(line(toHelp(terminal, event.helpDoc)))
          : yield* note(toHelp(errorTerminal, event.helpDoc))
      case "InvalidInvocation": {
        const style = styleOf(errorTerminal)
        for (const error of event.errors) yield* note(`${style.red("error:")} ${sentence(error)}`)
        for (const text of usage(event.helpDoc, event.commandPath)) yield* note(style.dim(text))
      }
    }
  })
})
