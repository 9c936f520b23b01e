/**
 * A whole text through an import, be it of lines or Arrow IPC, segment by segment and in order: of two rows of one identity the one further down is the later.
 *
 * While a segment is archived and stored the rows of the next one are made ready; it is written when the one before it is, and
 * that has been told. Memory stays flat whatever the size: three segments at most are held. What is imported when it breaks off stays, and so
 * does what was on its way then; the same text imported again has the same segments, and those that are there are not written again.
 */
import { Effect, Exit, Fiber, Stream } from "effect"
import {
  type Importer,
  type ImportSpec,
  ImportsError,
  type RejectedLine,
  UnreadableText
} from "../../services/Imports.ts"
import { CsvRecords } from "../adapters/records/CsvRecords.ts"
import { CsvRowEnds } from "../adapters/records/CsvRowEnds.ts"
import { headerProblem } from "./importFields.ts"
import { type Cut, SegmentCutter } from "./SegmentCutter.ts"

/** What has been done so far. `bytes` of the text, unpacked; `known` are rows of segments that had been imported before. */
export interface ImportTally {
  readonly bytes: number
  readonly segments: number
  readonly rows: number
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
  readonly known: number
  readonly rejected: number
}

export const nothingImported: ImportTally = {
  bytes: 0,
  segments: 0,
  rows: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  known: 0,
  rejected: 0
}

export interface ImportTextOptions<E, E1, E2, R> {
  readonly imports: Importer<E1>
  /** The header of CSV is read from the text unless it is given here. */
  readonly spec: ImportSpec
  readonly text: Stream.Stream<Uint8Array, E>
  /** Told after each segment, and of the rows in it that were not accepted. */
  readonly progress: (tally: ImportTally, rejected: ReadonlyArray<RejectedLine>) => Effect.Effect<void, E2, R>
}

const unreadable = (line: number | null, message: string) =>
  new ImportsError({ reason: new UnreadableText({ line, message }) })

const byteOrderMark = [0xef, 0xbb, 0xbf]

/** Where the text of a CSV goes on behind its header, and the header. */
const headerIn = (bytes: Uint8Array, delimiter: string) => {
  const records = new CsvRecords(bytes, delimiter)
  if (!records.next()) return null
  const names = Array.from({ length: records.fields }, (_, field) => records.text(field).trim())
  return { names, line: records.position, problem: records.problem }
}

export const importText: <E, E1, E2, R>(
  options: ImportTextOptions<E, E1, E2, R>
) => Effect.Effect<ImportTally, E | E1 | E2 | ImportsError, R> = Effect.fnUntraced(function* <E, E1, E2, R>(
  options: ImportTextOptions<E, E1, E2, R>
) {
  const { imports, progress, text } = options
  const csv = options.spec.format === "csv"
  let spec = options.spec
  let cutter: SegmentCutter | null = csv && spec.header === null ? null : cutterAt(0, 1)
  let tally = nothingImported
  /** Bytes of a CSV whose first line has not ended yet. */
  let head = new Uint8Array()

  function cutterAt(offset: number, line: number): SegmentCutter {
    return new SegmentCutter({ ends: csv ? new CsvRowEnds(spec.delimiter) : null, offset, line })
  }

  const session = yield* imports.begin

  /** `end` is how far the text is read with it, where it is not the segment's own end. */
  const one = Effect.fnUntraced(function* (
    { bytes, line, offset }: Cut,
    end = offset + bytes.length,
    turn?: Effect.Effect<void>
  ) {
    const report = yield* imports.segment(session, spec, { bytes, line, offset }, turn)
    tally = {
      bytes: end,
      segments: tally.segments + 1,
      rows: tally.rows + report.rows,
      inserted: tally.inserted + report.inserted,
      updated: tally.updated + report.updated,
      unchanged: tally.unchanged + report.unchanged,
      known: tally.known + (report.known ? report.rows - report.rejected.length : 0),
      rejected: tally.rejected + report.rejected.length
    }
    yield* progress(tally, report.rejected)
  })

  let underWay: Fiber.Fiber<void, E1 | E2> | null = null
  const done = Effect.suspend(() => (underWay === null ? Effect.void : Fiber.join(underWay)))

  /** Begins with a segment, and ends when the one before it is done. */
  const next = Effect.fnUntraced(function* (cut: Cut) {
    const before = underWay
    // Where the one before it has failed its turn never comes: it is interrupted.
    const turn =
      before === null
        ? Effect.void
        : Effect.flatMap(Fiber.await(before), (exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.never))
    underWay = yield* Effect.forkScoped(one(cut, undefined, turn), { startImmediately: true })
    if (before === null) return
    yield* Effect.onError(Fiber.join(before), () =>
      Effect.sync(() => {
        underWay = null
      })
    )
  })

  const drain = Effect.fnUntraced(function* (cutting: SegmentCutter, ended: boolean) {
    for (;;) {
      const cut = cutting.take(ended)
      if (cut === null) break
      yield* next(cut)
    }
    if (cutting.tooLong !== null) {
      return yield* unreadable(cutting.tooLong, "the line has no end; is this a text with a row a line?")
    }
  })

  const feed = Effect.fnUntraced(function* (cutting: SegmentCutter, chunk: Uint8Array) {
    let at = 0
    while (at < chunk.length) {
      at = cutting.push(chunk, at)
      yield* drain(cutting, false)
    }
  })

  /** Takes the header off the beginning of a CSV; nothing happens while its line has not ended. */
  const begin = Effect.fnUntraced(function* (chunk: Uint8Array, ended: boolean) {
    const grown = new Uint8Array(head.length + chunk.length)
    grown.set(head)
    grown.set(chunk, head.length)
    head = grown
    const end = head.indexOf(10)
    if (end < 0 && !ended) {
      return head.length > 1_048_576 ? yield* unreadable(1, "the header has no end; is this a CSV file?") : undefined
    }
    const skipped = byteOrderMark.every((byte, index) => head[index] === byte) ? 3 : 0
    const length = end < 0 ? head.length : end + 1
    const found = headerIn(head.subarray(skipped, length), spec.delimiter)
    if (found === null) return yield* unreadable(1, "the first line is empty; it should name the columns")
    if (found.problem !== null) return yield* unreadable(1, found.problem)
    spec = { ...spec, header: found.names }
    const problem = headerProblem(spec, found.names)
    if (problem !== null) return yield* unreadable(found.line, problem)
    const cutting = cutterAt(length, 2)
    cutter = cutting
    yield* feed(cutting, head.subarray(length))
  })

  const run = Effect.gen(function* () {
    if (spec.format === "arrow") {
      // Arrow's library is loaded for Arrow alone.
      const { arrowSegments } = yield* Effect.promise(() => import("./arrow/arrowSegments.ts"))
      yield* arrowSegments({ spec, text, take: one })
      return tally
    }
    yield* Stream.runForEach(text, (chunk) => (cutter === null ? begin(chunk, false) : feed(cutter, chunk)))
    if (cutter === null && head.length > 0) yield* begin(new Uint8Array(), true)
    if (cutter !== null) yield* drain(cutter, true)
    yield* done
    return tally
  }).pipe(
    Effect.catch((error) => Effect.andThen(done, Effect.fail(error))),
    Effect.scoped
  )
  return yield* Effect.onExit(run, (exit) => {
    if (Exit.isSuccess(exit)) return imports.end(session, tally.rejected > 0 ? "partial" : "ok", null)
    const stopped = Exit.hasInterrupts(exit)
    return Effect.ignore(
      imports.end(session, stopped ? "cancelled" : "failed", `broke off after ${tally.bytes} bytes of ${spec.name}`)
    )
  })
})
