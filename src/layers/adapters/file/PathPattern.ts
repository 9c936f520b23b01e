import { Result } from "effect"

/** How much of a date a path holds: one file then has the rows of one day, month or year. */
export type PathUnit = "day" | "month" | "year"

/** A calendar date or the beginning of one, in no zone. `month` and `day` are 1 where the path does not have them. */
export interface PathDate {
  readonly year: number
  readonly month: number
  readonly day: number
}

type Token = { readonly _tag: "Text"; readonly text: string } | { readonly _tag: "Field"; readonly name: FieldName }

const widths = { symbol: 0, SYMBOL: 0, yyyy: 4, MM: 2, dd: 2, yyyyMMdd: 8 } as const
type FieldName = keyof typeof widths
const isFieldName = (name: string): name is FieldName => Object.hasOwn(widths, name)

/** A path with holes: `minute/{symbol}/{yyyyMMdd}_trade.zip`. Always relative, with `/` between its segments. */
export interface PathPattern {
  readonly source: string
  readonly segments: ReadonlyArray<ReadonlyArray<Token>>
  readonly unit: PathUnit | null
  readonly hasSymbol: boolean
}

const tokenise = (source: string): Result.Result<ReadonlyArray<Token>, string> => {
  const tokens: Array<Token> = []
  let rest = source
  while (rest !== "") {
    const open = rest.indexOf("{")
    if (open === -1) {
      tokens.push({ _tag: "Text", text: rest })
      break
    }
    if (open > 0) tokens.push({ _tag: "Text", text: rest.slice(0, open) })
    const close = rest.indexOf("}", open)
    if (close === -1) return Result.fail(`"${source}" has a { without a }`)
    const name = rest.slice(open + 1, close)
    if (!isFieldName(name)) {
      return Result.fail(`"${source}" has {${name}}; a pattern may hold {symbol} {SYMBOL} {yyyy} {MM} {dd} {yyyyMMdd}`)
    }
    tokens.push({ _tag: "Field", name })
    rest = rest.slice(close + 1)
  }
  return Result.succeed(tokens)
}

const unitOf = (names: ReadonlySet<FieldName>): Result.Result<PathUnit | null, string> => {
  const year = names.has("yyyy") || names.has("yyyyMMdd")
  const month = names.has("MM") || names.has("yyyyMMdd")
  const day = names.has("dd") || names.has("yyyyMMdd")
  if ((month && !year) || (day && !month)) {
    return Result.fail("a path with {dd} needs {MM} and {yyyy}, and one with {MM} needs {yyyy}")
  }
  return Result.succeed(day ? "day" : month ? "month" : year ? "year" : null)
}

/** Reads a pattern; fails with a sentence that says what is wrong with it. */
export const parse = (source: string): Result.Result<PathPattern, string> =>
  Result.gen(function* () {
    if (source === "") return yield* Result.fail("the path is empty")
    if (source.startsWith("/") || /^[A-Za-z]:/.test(source) || source.includes("\\")) {
      return yield* Result.fail(`"${source}" must be relative to root, with / between its parts`)
    }
    const segments: Array<ReadonlyArray<Token>> = []
    const names = new Set<FieldName>()
    for (const segment of source.split("/")) {
      if (segment === "" || segment === "." || segment === "..") {
        return yield* Result.fail(`"${source}" must not have empty parts, "." or ".."; set root instead`)
      }
      const tokens = yield* tokenise(segment)
      for (const token of tokens) if (token._tag === "Field") names.add(token.name)
      segments.push(tokens)
    }
    const unit = yield* unitOf(names)
    return { source, segments, unit, hasSymbol: names.has("symbol") || names.has("SYMBOL") }
  })

/** What fills the holes. `lower` and `upper` are the two spellings of a symbol; a null one leaves its hole open. */
export interface PathValues {
  readonly symbol: { readonly lower: string; readonly upper: string } | null
  readonly date: PathDate | null
}

const pad = (value: number, width: number): string => String(value).padStart(width, "0")

const valueOf = (name: FieldName, values: PathValues): string | null => {
  const { date, symbol } = values
  switch (name) {
    case "symbol":
      return symbol === null ? null : symbol.lower
    case "SYMBOL":
      return symbol === null ? null : symbol.upper
    case "yyyy":
      return date === null ? null : pad(date.year, 4)
    case "MM":
      return date === null ? null : pad(date.month, 2)
    case "dd":
      return date === null ? null : pad(date.day, 2)
    case "yyyyMMdd":
      return date === null ? null : pad(date.year, 4) + pad(date.month, 2) + pad(date.day, 2)
  }
}

/** One segment filled, or null when a hole in it stays open. */
export const fillSegment = (tokens: ReadonlyArray<Token>, values: PathValues): string | null => {
  let text = ""
  for (const token of tokens) {
    const part = token._tag === "Text" ? token.text : valueOf(token.name, values)
    if (part === null) return null
    text += part
  }
  return text
}

/** The path for a symbol and a date; null when one that the pattern asks for is not given. */
export const fill = (pattern: PathPattern, values: PathValues): string | null => {
  const parts: Array<string> = []
  for (const segment of pattern.segments) {
    const part = fillSegment(segment, values)
    if (part === null) return null
    parts.push(part)
  }
  return parts.join("/")
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** What a file name would mean as this segment: the text in the symbol's hole, null where it has none. */
export interface SegmentMatch {
  readonly symbol: string | null
}

/** A test of file names against a segment; date parts match any digits of their width. */
export const matcher = (tokens: ReadonlyArray<Token>, values: PathValues): ((name: string) => SegmentMatch | null) => {
  let groups = 0
  const source = tokens
    .map((token) => {
      if (token._tag === "Text") return escape(token.text)
      const value = valueOf(token.name, values)
      if (value !== null) return escape(value)
      if (widths[token.name] > 0) return `\\d{${widths[token.name]}}`
      groups++
      return "(.+?)"
    })
    .join("")
  const expression = new RegExp(`^${source}$`, "s")
  return (name) => {
    const match = expression.exec(name)
    return match === null ? null : { symbol: groups === 0 ? null : (match[1] ?? null) }
  }
}

const days = 86_400_000

/** The instants of a date part as if its zone were UTC: half-open, in milliseconds. */
export const localPeriod = (date: PathDate, unit: PathUnit): { readonly start: number; readonly end: number } => {
  const at = (year: number, month: number, day: number): number => {
    const instant = new Date(0)
    instant.setUTCFullYear(year, month - 1, day)
    return instant.getTime()
  }
  switch (unit) {
    case "day": {
      const start = at(date.year, date.month, date.day)
      return { start, end: start + days }
    }
    case "month":
      return { start: at(date.year, date.month, 1), end: at(date.year, date.month + 1, 1) }
    case "year":
      return { start: at(date.year, 1, 1), end: at(date.year + 1, 1, 1) }
  }
}

/** The part of a date that a path of `unit` holds, from milliseconds as if in UTC. */
export const dateOf = (local: number, unit: PathUnit): PathDate => {
  const instant = new Date(local)
  return {
    year: instant.getUTCFullYear(),
    month: unit === "year" ? 1 : instant.getUTCMonth() + 1,
    day: unit === "day" ? instant.getUTCDate() : 1
  }
}

/** `2013-10-07`, `2013-10` or `2013`. */
export const formatDate = (date: PathDate, unit: PathUnit): string =>
  [pad(date.year, 4), pad(date.month, 2), pad(date.day, 2)]
    .slice(0, unit === "day" ? 3 : unit === "month" ? 2 : 1)
    .join("-")

/** The inverse of {@link formatDate}; null when the text is no such date. */
export const parseDate = (text: string): { readonly date: PathDate; readonly unit: PathUnit } | null => {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text)
  if (match === null) return null
  const unit: PathUnit = match[3] !== undefined ? "day" : match[2] !== undefined ? "month" : "year"
  return { date: { year: Number(match[1]), month: Number(match[2] ?? 1), day: Number(match[3] ?? 1) }, unit }
}
