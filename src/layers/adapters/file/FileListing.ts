import { Data, Effect, type FileSystem, type Path } from "effect"
import type { FileEntry } from "./FileCatalogue.ts"
import * as PathPattern from "./PathPattern.ts"
import { normaliseSymbol, spellings } from "./symbols.ts"

/** Directory entries looked at in one listing; a larger tree is listed only in part. */
const maxVisited = 20_000

/** The root is not there or cannot be listed. */
export class RootMissing extends Data.TaggedError("RootMissing")<{ readonly root: string; readonly message: string }> {}

export interface SymbolListing {
  /** Sorted, without repeats. */
  readonly symbols: ReadonlyArray<string>
  /** False when the tree was too large to be seen whole. */
  readonly complete: boolean
}

/**
 * The symbols for which an entry has at least one file, found by walking the tree along its path pattern. With `only` just
 * that symbol is looked for. Directories are walked newest name first, and a symbol is settled by its first file.
 */
export const listSymbols = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  entry: FileEntry,
  options: { readonly only: string | null; readonly limit: number }
) {
  yield* fs
    .readDirectory(entry.root)
    .pipe(Effect.mapError((error) => new RootMissing({ root: entry.root, message: error.message })))
  const found = new Set<string>()
  const { segments } = entry.path
  let visited = 0
  const full = () => found.size >= options.limit || visited >= maxVisited

  const walk = (directory: string, depth: number, symbol: string | null): Effect.Effect<void> =>
    Effect.gen(function* () {
      const segment = segments[depth]
      if (segment === undefined || full()) return
      const values = { symbol: symbol === null ? null : spellings(entry, symbol), date: null }
      const literal = PathPattern.fillSegment(segment, values)
      const matches = PathPattern.matcher(segment, values)
      // What cannot be listed has no files for us; the request for one of them will say why.
      const names =
        literal === null
          ? yield* fs.readDirectory(directory).pipe(Effect.orElseSucceed((): Array<string> => []))
          : [literal]
      for (const name of names.toSorted().reverse()) {
        visited++
        if (full()) return
        const match = matches(name)
        if (match === null) continue
        const next = match.symbol === null ? symbol : normaliseSymbol(entry, match.symbol)
        if (match.symbol !== null) {
          if (next === null || (entry.symbols !== null && !entry.symbols.includes(next))) continue
          const spelt = { symbol: spellings(entry, next), date: null }
          if (PathPattern.matcher(segment, spelt)(name) === null) continue
        }
        if (next !== null && found.has(next)) {
          if (symbol !== null) return
          continue
        }
        const child = path.join(directory, name)
        if (depth + 1 < segments.length) yield* walk(child, depth + 1, next)
        else if (yield* fs.exists(child).pipe(Effect.orElseSucceed(() => false))) {
          found.add(next ?? entry.symbols?.[0] ?? "")
        }
      }
    })

  yield* walk(entry.root, 0, options.only ?? (entry.path.hasSymbol ? null : (entry.symbols?.[0] ?? null)))
  return { symbols: Array.from(found).toSorted(), complete: visited < maxVisited } satisfies SymbolListing
})
