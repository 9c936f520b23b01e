import type { FileEntry } from "./FileCatalogue.ts"

/** The one spelling of a symbol in an entry's series; null when it cannot be part of a path. */
export const normaliseSymbol = (entry: Pick<FileEntry, "symbolCase">, symbol: string): string | null => {
  const trimmed = symbol.trim()
  // A symbol becomes part of a path: it must not be able to leave its directory.
  if (trimmed === "" || trimmed === "." || trimmed === ".." || trimmed.length > 128) return null
  for (const character of trimmed) {
    if (character < " " || character === "/" || character === "\\" || character === "\u007f") return null
  }
  switch (entry.symbolCase) {
    case "upper":
      return trimmed.toUpperCase()
    case "lower":
      return trimmed.toLowerCase()
    case "exact":
      return trimmed
  }
}

/** How a symbol is spelt in paths: `{symbol}` is lower case and `{SYMBOL}` upper case, unless the entry keeps case exactly. */
export const spellings = (
  entry: Pick<FileEntry, "symbolCase">,
  symbol: string
): { readonly lower: string; readonly upper: string } =>
  entry.symbolCase === "exact"
    ? { lower: symbol, upper: symbol }
    : { lower: symbol.toLowerCase(), upper: symbol.toUpperCase() }

/** The path of a symbol's files with its date parts left open, for messages. */
export const pathFor = (entry: Pick<FileEntry, "symbolCase" | "path">, symbol: string): string => {
  const { lower, upper } = spellings(entry, symbol)
  return entry.path.source.replaceAll("{symbol}", lower).replaceAll("{SYMBOL}", upper)
}

/** The commonest reason for finding nothing at all: files spelt in the other case than the pattern says. */
export const caseHint = (entries: ReadonlyArray<Pick<FileEntry, "symbolCase" | "path">>): string =>
  entries.some(({ path, symbolCase }) => symbolCase !== "exact" && path.source.includes("{symbol}"))
    ? "; {symbol} is the symbol in lower case: write {SYMBOL} for upper case, or symbolCase: exact for as it is"
    : ""
