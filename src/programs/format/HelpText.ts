/** The help of a command as text, wrapped to the width of the terminal. */
import { Option } from "effect"
import type { ArgDoc, FlagDoc, HelpDoc } from "effect/cli/HelpDoc"
import type { Style } from "../terminal/Style.ts"
import { displayWidth } from "./Width.ts"
import { wrap } from "./wrap.ts"

const widest = 100
const indent = "  "
// A name longer than this has its description on the next line.
const longestName = 26

interface Entry {
  readonly name: string
  readonly text: string
}

const entryLines = (
  entries: ReadonlyArray<Entry>,
  width: number,
  emphasis: (text: string) => string
): ReadonlyArray<string> => {
  const column = Math.min(longestName, Math.max(...entries.map(({ name }) => displayWidth(name)))) + 2
  return entries.flatMap(({ name, text }) => {
    const [first = "", ...rest] = wrap(text, Math.max(20, width - indent.length - column))
    const margin = indent + " ".repeat(column)
    const gap = column - displayWidth(name)
    const head =
      gap >= 2
        ? [indent + emphasis(name) + (first === "" ? "" : " ".repeat(gap) + first)]
        : [indent + emphasis(name), ...(first === "" ? [] : [margin + first])]
    return [...head, ...rest.map((line) => margin + line)]
  })
}

const flagEntry = (flag: FlagDoc): Entry => {
  const names = [`--${flag.name}`, ...flag.aliases].join(", ")
  return {
    name: flag.type === "boolean" ? names : `${names} ${flag.type === "choice" ? flag.name.toUpperCase() : flag.type}`,
    text: (flag.required ? "Required. " : "") + Option.getOrElse(flag.description, () => "")
  }
}

const argumentEntry = (argument: ArgDoc): Entry => ({
  name: argument.name.toUpperCase() + (argument.variadic ? "..." : ""),
  text: Option.getOrElse(argument.description, () => "")
})

export const helpText = (doc: HelpDoc, columns: number, style: Style): string => {
  const width = Math.min(columns, widest)
  const section = (title: string, lines: ReadonlyArray<string>) =>
    lines.length === 0 ? [] : [[style.bold(title), ...lines].join("\n")]
  const entries = (title: string, list: ReadonlyArray<Entry>) =>
    section(title, list.length === 0 ? [] : entryLines(list, width, style.cyan))
  const examples = (doc.examples ?? []).flatMap(({ command, description }, index) => [
    ...(index > 0 ? [""] : []),
    ...(description === undefined ? [] : [indent + style.dim(`# ${description}`)]),
    indent + command
  ])
  const groups = (doc.subcommands ?? []).map(({ commands, group }) => ({
    title: group === undefined ? "COMMANDS" : `COMMANDS: ${group.toUpperCase()}`,
    list: commands.map((command) => ({ name: command.name, text: command.shortDescription ?? command.description }))
  }))
  // One column for all of them.
  const longest = Math.max(0, ...groups.flatMap(({ list }) => list.map(({ name }) => displayWidth(name))))
  return [
    ...(doc.description === "" ? [] : [wrap(doc.description, width).join("\n")]),
    ...section("USAGE", [indent + doc.usage]),
    ...groups.flatMap(({ list, title }) =>
      entries(
        title,
        list.map(({ name, text }) => ({ name: name.padEnd(longest), text }))
      )
    ),
    ...entries("ARGUMENTS", (doc.args ?? []).map(argumentEntry)),
    ...entries("FLAGS", doc.flags.map(flagEntry)),
    ...entries("GLOBAL FLAGS", (doc.globalFlags ?? []).map(flagEntry)),
    ...section("EXAMPLES", examples)
  ].join("\n\n")
}
