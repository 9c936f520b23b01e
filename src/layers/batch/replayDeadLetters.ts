/**
 * Takes the rows of a dead-letter file into the store, and out of the file.
 *
 * Responsibilities: a letter leaves the file when its row is committed, and not before; one that is refused again stays, with the reason of
 * now and the time at which it was first given up. Queueing: chunk by chunk in the order of the file, one replay of a file at a time; nothing
 * but their user keeps two apart.
 *
 * Hard cases: the file may be written meanwhile by a batch processor, so it is renamed first (`FILE.replaying`) and letters that come
 * during the replay begin a new one; one that was just being written is found at the end of the renamed. A replay that broke off, or was
 * killed, left the renamed file, and the next one begins with that: rows that were committed by then are known by their segment and not
 * written again; killed while it gives back what is left, it leaves those letters there twice. A line that is no letter stays as it is. A row that the store refuses as such (a constraint of the database) takes
 * its chunk down, and is found by halving.
 */
import { Effect, FileSystem, type PlatformError, Result, Stream } from "effect"
import type { SessionId } from "../../domain/Session.ts"
import { type Importer, type ImportKind, ImportsError, UnreadableText } from "../../services/Imports.ts"
import { plainSpec } from "../imports/plainSpec.ts"
import { type Cut, SegmentCutter } from "../imports/SegmentCutter.ts"
import { decodeLetter, letterLine } from "./DeadLetter.ts"
import { mayPass } from "./mayPass.ts"

export interface DeadLetterTally {
  /** Bytes of the file that are done. */
  readonly bytes: number
  readonly letters: number
  readonly inserted: number
  readonly updated: number
  /** Those that the store had: committed in the end by whoever gave them up, or by a replay that broke off. */
  readonly unchanged: number
  /** Refused again, or no letters; they are in the file. */
  readonly left: number
}

export const nothingReplayed: DeadLetterTally = {
  bytes: 0,
  letters: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  left: 0
}

interface Letter {
  readonly at: string
  readonly kind: ImportKind
  /** The text of the row. */
  readonly row: string
}

/** What a chunk of letters came to; `left` are lines. */
type Done = Pick<DeadLetterTally, "inserted" | "updated" | "unchanged"> & { readonly left: ReadonlyArray<string> }

const nothing: Done = { inserted: 0, updated: 0, unchanged: 0, left: [] }

const sum = (a: Done, b: Done): Done => ({
  inserted: a.inserted + b.inserted,
  updated: a.updated + b.updated,
  unchanged: a.unchanged + b.unchanged,
  left: [...a.left, ...b.left]
})

const leave = ({ at, kind, row }: Letter, reason: string): string => letterLine(at, reason, kind, row)

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** The letters of a kind that stand in one cut of the file. */
const replayKind = <E>(
  imports: Importer<E>,
  session: SessionId,
  { line, offset }: Pick<Cut, "line" | "offset">,
  letters: ReadonlyArray<Letter>
): Effect.Effect<Done, E> => {
  const [first] = letters
  if (first === undefined) return Effect.succeed(nothing)
  const spec = { ...plainSpec, name: "dead letters", kind: first.kind, rejects: "skip" } as const
  const bytes = encoder.encode(letters.map(({ row }) => `${row}\n`).join(""))
  return imports.segment(session, spec, { offset, line, bytes }).pipe(
    Effect.map((report): Done => {
      const refused = report.rejected.flatMap((rejected) => {
        const letter = letters[rejected.line - line]
        return letter === undefined ? [] : [leave(letter, rejected.reason)]
      })
      const { inserted, unchanged, updated } = report
      return { inserted, updated, unchanged, left: refused }
    }),
    Effect.catchIf(
      (error) => error instanceof ImportsError && !mayPass(error),
      (error) => {
        const reason = error instanceof ImportsError ? error.message : String(error)
        if (letters.length === 1) return Effect.succeed({ ...nothing, left: [leave(first, reason)] })
        const half = letters.length >> 1
        return Effect.zipWith(
          replayKind(imports, session, { line, offset }, letters.slice(0, half)),
          replayKind(imports, session, { line: line + half, offset }, letters.slice(half)),
          sum
        )
      }
    )
  )
}

const replayCut = Effect.fnUntraced(function* <E>(imports: Importer<E>, session: SessionId, cut: Cut) {
  const lines = decoder
    .decode(cut.bytes)
    .split("\n")
    .filter((line) => line !== "")
  const kinds = new Map<ImportKind, Array<Letter>>()
  const strange: Array<string> = []
  for (const line of lines) {
    const letter = decodeLetter(line)
    if (Result.isFailure(letter)) strange.push(`${line}\n`)
    else {
      const { at, kind, row } = letter.success
      const known = kinds.get(kind) ?? []
      kinds.set(kind, known)
      known.push({ at, kind, row: JSON.stringify(row) })
    }
  }
  let done: Done = { ...nothing, left: strange }
  for (const letters of kinds.values()) done = sum(done, yield* replayKind(imports, session, cut, letters))
  return { ...done, letters: lines.length }
})

export interface ReplayOptions<E, E1, R> {
  readonly imports: Importer<E>
  readonly file: string
  /** Told after each chunk; `of`: bytes of the file. */
  readonly progress: (tally: DeadLetterTally, of: number) => Effect.Effect<void, E1, R>
}

export const replayDeadLetters: <E, E1, R>(
  options: ReplayOptions<E, E1, R>
) => Effect.Effect<DeadLetterTally, E | E1 | ImportsError | PlatformError.PlatformError, R | FileSystem.FileSystem> =
  Effect.fn("replayDeadLetters")(function* <E, E1, R>({ file, imports, progress }: ReplayOptions<E, E1, R>) {
    const fs = yield* FileSystem.FileSystem
    const taken = `${file}.replaying`
    const kept = `${file}.left`
    if (!(yield* fs.exists(taken))) yield* fs.rename(file, taken)
    yield* fs.writeFileString(kept, "")
    const session = yield* imports.begin
    let tally = nothingReplayed

    const take = Effect.fnUntraced(function* (cutter: SegmentCutter, ended: boolean, size: number) {
      for (let cut = cutter.take(ended); cut !== null; cut = cutter.take(ended)) {
        const { inserted, left, letters, unchanged, updated } = yield* replayCut(imports, session, cut)
        if (left.length > 0) yield* fs.writeFileString(kept, left.join(""), { flag: "a" })
        tally = {
          bytes: cut.offset + cut.bytes.length,
          letters: tally.letters + letters,
          inserted: tally.inserted + inserted,
          updated: tally.updated + updated,
          unchanged: tally.unchanged + unchanged,
          left: tally.left + left.length
        }
        yield* progress(tally, size)
      }
    })

    /** What the file has behind `tally.bytes`. */
    const rest = Effect.fnUntraced(function* (size: number) {
      const cutter = new SegmentCutter({ ends: null, offset: tally.bytes, line: tally.letters + 1 })
      yield* Stream.runForEach(fs.stream(taken, { offset: tally.bytes }), (chunk) =>
        Effect.gen(function* () {
          for (let at = 0; at < chunk.length; ) {
            at = cutter.push(chunk, at)
            yield* take(cutter, false, size)
            if (cutter.tooLong !== null) {
              const message = `${taken}: the line has no end; is this a file of dead letters?`
              return yield* new ImportsError({ reason: new UnreadableText({ line: cutter.tooLong, message }) })
            }
          }
        })
      )
      yield* take(cutter, true, size)
    })

    const run = Effect.gen(function* () {
      for (;;) {
        const size = Number((yield* fs.stat(taken)).size)
        if (size <= tally.bytes) break
        yield* rest(size)
      }
      const left = yield* fs.readFile(kept)
      if (left.length > 0) {
        yield* Effect.scoped(
          Effect.gen(function* () {
            const opened = yield* fs.open(file, { flag: "a" })
            yield* opened.writeAll(left)
            yield* opened.sync
          })
        )
      }
      yield* fs.remove(taken)
      yield* fs.remove(kept)
      return tally
    })
    return yield* run.pipe(
      Effect.onExit((exit) => Effect.ignore(imports.end(session, exit._tag === "Success" ? "ok" : "failed", null)))
    )
  })
