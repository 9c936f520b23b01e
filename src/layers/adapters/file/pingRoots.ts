import { Effect, type FileSystem, Option, type Path } from "effect"
import type { FileEntry } from "./FileCatalogue.ts"
import { listSymbols } from "./FileListing.ts"

/** Looks at each root and at what lies in it: whether it is there, may be read, and has files that the pattern finds. */
export const pingRoots = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  path: Path.Path,
  entries: ReadonlyArray<FileEntry>
) {
  const reports = yield* Effect.forEach(entries, (entry) =>
    Effect.gen(function* () {
      const info = yield* fs.stat(entry.root)
      if (info.type !== "Directory") return { ok: false, detail: `${entry.name}: ${entry.root} is not a directory` }
      const { symbols } = yield* listSymbols(fs, path, entry, { only: null, limit: 1 })
      return Option.match(Option.fromNullishOr(symbols[0]), {
        onNone: () => ({ ok: false, detail: `${entry.name}: no file in ${entry.root} fits ${entry.path.source}` }),
        onSome: (symbol) => ({ ok: true, detail: `${entry.name}: ${entry.root} has files, ${symbol} for one` })
      })
    }).pipe(
      Effect.catch((error) =>
        Effect.succeed({ ok: false, detail: `${entry.name}: ${entry.root} cannot be read: ${error.message}` })
      )
    )
  )
  return { ok: reports.every((report) => report.ok), detail: reports.map((report) => report.detail).join("; ") }
})
