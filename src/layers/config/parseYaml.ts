import { Result } from "effect"
import { Yaml } from "effect/encoding"

/** Why a text is no YAML; `line` is null where it could not be told. */
export interface YamlMistake {
  readonly line: number | null
  readonly found: string
}

const parse = (text: string) => Result.try(() => Yaml.parse(text))

/**
 * The parser names no line for what stands inside `[...]`, `{...}` or quotes: it is the line behind the longest beginning of
 * the text that is YAML by itself, so the one on which that begins. Only asked about small files, since it parses again per line.
 */
const lineAfterTheGood = (text: string): number | null => {
  const lines = text.split(/\r\n?|\n/)
  if (lines.length > 1000 || text.length > 100_000) return null
  for (let count = lines.length - 1; count > 0; count--) {
    if (Result.isSuccess(parse(lines.slice(0, count).join("\n")))) return count + 1
  }
  return 1
}

const mistakeIn = (text: string, cause: unknown): YamlMistake => {
  if (cause instanceof RangeError) return { line: null, found: "collections nested too deeply" }
  const message = cause instanceof Error ? cause.message : String(cause)
  const line = /at line (\d+)/.exec(message)
  const bare = message
    .replace(/ at (line|flow offset) \d+$/, "")
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase())
  return {
    line: line === null ? lineAfterTheGood(text) : Number(line[1]),
    found: bare.startsWith("expected ") ? `something else where ${bare.slice("expected ".length)} should be` : bare
  }
}

/** The document of a YAML text. */
export const parseYaml = (text: string): Result.Result<unknown, YamlMistake> =>
  Result.mapError(parse(text), (cause) => mistakeIn(text, cause))
