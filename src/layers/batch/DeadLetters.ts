/**
 * The file of rows that could not be committed: one JSON object a line, `at` (ISO 8601, UTC), `reason`, `kind`, and `row` as
 * `tapestry dump` writes it. Lines are appended and synced before anybody is told that a row is in it.
 */
import { Clock, Effect, FileSystem, Path, Schedule } from "effect"
import { iso } from "../../domain/TimeRange.ts"
import type { BatchRow } from "../../services/BatchProcessor.ts"
import type { ImportKind } from "../../services/Imports.ts"
import { recordsText } from "../export/RecordsText.ts"
import { letterLine } from "./DeadLetter.ts"

/** A full disk may get room again; then the rows go to the log, which is better than nowhere. */
const tries = Schedule.recurs(5).pipe(Schedule.addDelay(() => Effect.succeed("200 millis")))

export const make = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path

  const append = (text: string) =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* fs.makeDirectory(path.dirname(file), { recursive: true })
        const opened = yield* fs.open(file, { flag: "a" })
        yield* opened.writeAll(new TextEncoder().encode(text))
        yield* opened.sync
      })
    )

  const write = Effect.fnUntraced(function* (kind: ImportKind, rows: ReadonlyArray<BatchRow>, reason: string) {
    if (rows.length === 0) return
    const at = yield* Clock.currentTimeMillis
    const written = recordsText(kind, "ndjson")
    const text = rows
      .map(({ row, series }) => letterLine(iso(at), reason, kind, written.rows(series, [row]).trimEnd()))
      .join("")
    yield* append(text).pipe(
      Effect.retry(tries),
      Effect.catch((error) => Effect.logError(`${file} cannot be written (${error.message}); its rows: ${text}`))
    )
  })

  return { write }
})
