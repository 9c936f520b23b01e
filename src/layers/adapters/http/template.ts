/**
 * Texts with places to fill: `{symbol}`, `{start}`, `{end}`, `{timeframe}`, `{limit}`, `{page}`.
 *
 * What fills a place in a URL is percent-encoded, all but letters, digits, `-`, `_`, `.`, `~`: it can end neither its segment of
 * the path nor its parameter. `.` and `..`, which a URL would take for steps, are no values for a path.
 */
import { Result } from "effect"

export const placeNames = ["symbol", "start", "end", "timeframe", "limit", "page"] as const
export type PlaceName = (typeof placeNames)[number]
export type Places = Readonly<Partial<Record<PlaceName, string>>>

const place = /\{([^{}]*)\}/g

/** Why a template cannot be used; null when it can. */
export const problemOf = (template: string): string | null => {
  const known: ReadonlyArray<string> = placeNames
  const unknown = [...template.matchAll(place)].map(([, name]) => name ?? "").find((name) => !known.includes(name))
  if (unknown !== undefined) return `{${unknown}} is no place; there are {${placeNames.join("}, {")}}`
  return /[{}]/.test(template.replace(place, "")) ? "a brace has no partner" : null
}

export const uses = (template: string, name: PlaceName): boolean => template.includes(`{${name}}`)

/** The template with its places filled. */
export const fill = (template: string, places: Places, encode: (value: string) => string = (value) => value): string =>
  template.replace(place, (_, name: string) => encode(valueOf(places, name)))

const valueOf = (places: Places, name: string): string => {
  const known = placeNames.find((one) => one === name)
  return known === undefined ? "" : (places[known] ?? "")
}

/** `encodeURIComponent` leaves `!'()*` as they are, which some servers take for more than text. */
export const percent = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

const steps = new Set([".", ".."])

/** The address of a template; fails where a value would take another place than its own. */
export const fillUrl = (template: string, places: Places): Result.Result<URL, string> => {
  const symbol = places.symbol ?? ""
  if (steps.has(symbol.trim()) || symbol === "") return Result.fail(`${JSON.stringify(symbol)} cannot be in an address`)
  const text = fill(template, places, percent)
  const url = URL.parse(text)
  const empty = URL.parse(fill(template, placeholders))
  const depth = (one: URL) => one.pathname.split("/").length
  return url === null || empty === null || url.origin !== empty.origin || depth(url) !== depth(empty)
    ? Result.fail(`${JSON.stringify(symbol)} would change where the request goes`)
    : Result.succeed(url)
}

const placeholders: Places = { symbol: "x", start: "x", end: "x", timeframe: "x", limit: "1", page: "1" }
