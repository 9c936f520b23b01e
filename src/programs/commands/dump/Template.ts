/**
 * Names of the files of a dump of everything: text with `{kind}` in it, for each kind another file. The other placeholders say which rows
 * were meant, so that dumps of different days or vendors have names of their own; what was not narrowed down is ALL, MIN or MAX.
 */
import { Result } from "effect"
import type { EpochMillis } from "../../../domain/TimeRange.ts"

const names = ["kind", "table", "tenant", "vendor", "symbol", "timeframe", "from", "start", "to", "end"] as const
type Name = (typeof names)[number]

const isName = (text: string): text is Name => names.some((name) => name === text)

/** Text, and the names between it. */
export type Template = ReadonlyArray<string | { readonly name: Name }>

/** What is wrong with it, in words. */
export const parseTemplate = (text: string): Result.Result<Template, string> => {
  const parts: Array<Template[number]> = []
  for (const part of text.split(/(\{[^{}]*\})/)) {
    if (!part.startsWith("{")) {
      if (/[{}]/.test(part)) return Result.fail(`${JSON.stringify(text)}: a brace without its other one`)
      if (part !== "") parts.push(part)
      continue
    }
    const name = part.slice(1, -1)
    if (!isName(name)) {
      return Result.fail(
        `${part} is nothing that a name can have; there are ${names.map((one) => `{${one}}`).join(" ")}`
      )
    }
    parts.push({ name })
  }
  return parts.some((part) => typeof part !== "string" && (part.name === "kind" || part.name === "table"))
    ? Result.succeed(parts)
    : Result.fail(`${JSON.stringify(text)} has no {kind}: each kind of rows has a file of its own`)
}

export interface Meant {
  readonly tenant: string
  /** Undefined: whatever it is. */
  readonly vendor?: string | undefined
  readonly symbol?: string | undefined
  readonly timeframe?: string | undefined
  readonly from?: EpochMillis | undefined
  readonly to?: EpochMillis | undefined
}

const slug = (text: string): string => text.replaceAll(/[^\w.-]/g, "_")

/** A date where it is a midnight (UTC), else the instant without colons. */
const dated = (instant: EpochMillis): string => {
  const text = new Date(instant).toISOString()
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, 10) : slug(text.replaceAll(":", ""))
}

export const fileOf = (template: Template, kind: string, meant: Meant): string => {
  const values: Readonly<Record<Name, string>> = {
    kind,
    table: kind,
    tenant: slug(meant.tenant),
    vendor: meant.vendor === undefined ? "ALL" : slug(meant.vendor),
    symbol: meant.symbol === undefined ? "ALL" : slug(meant.symbol),
    timeframe: meant.timeframe ?? "ALL",
    from: meant.from === undefined ? "MIN" : dated(meant.from),
    start: meant.from === undefined ? "MIN" : dated(meant.from),
    to: meant.to === undefined ? "MAX" : dated(meant.to),
    end: meant.to === undefined ? "MAX" : dated(meant.to)
  }
  return template.map((part) => (typeof part === "string" ? part : values[part.name])).join("")
}

const quoted = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** Names that the template gives for a kind, whatever was meant. */
export const patternOf = (template: Template, kind: string): RegExp =>
  new RegExp(
    `^${template
      .map((part) => {
        if (typeof part === "string") return quoted(part)
        return part.name === "kind" || part.name === "table" ? quoted(kind) : "[^/]+"
      })
      .join("")}$`
  )

/** The directory in which all of its files are: what stands before the first name, up to the last slash. */
export const rootOf = (template: Template): string => {
  const [first] = template
  const before = typeof first === "string" ? first : ""
  const slash = before.lastIndexOf("/")
  return slash < 0 ? "." : slash === 0 ? "/" : before.slice(0, slash)
}
