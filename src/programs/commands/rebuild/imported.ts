/** The part of a rebuild, and of a check, that is about what came from files and not from vendors. */
import { Effect, Stream } from "effect"
import {
  type ImportCheckEvent,
  type ImportCheckOptions,
  type ImportSelection,
  Imports,
  type ReplayedSegment
} from "../../../services/Imports.ts"
import { instant } from "../../format/Documents.ts"
import { movedText } from "../../format/MovedTable.ts"
import { counted } from "../../format/Numbers.ts"
import { withProgress } from "../../terminal/Progress.ts"
import { oneLine } from "../../terminal/Style.ts"
import { withOwner } from "../../withData.ts"

export interface Reimported {
  readonly segments: number
  readonly rows: number
  readonly inserted: number
  readonly problems: ReadonlyArray<string>
}

export const nothingImported: Reimported = { segments: 0, rows: 0, inserted: 0, problems: [] }

const withSegment = (sum: Reimported, { inserted, problem, response, rows }: ReplayedSegment): Reimported => ({
  segments: sum.segments + 1,
  rows: sum.rows + rows,
  inserted: sum.inserted + inserted,
  problems: problem === null ? sum.problems : [...sum.problems, `import, response ${response}: ${problem}`]
})

/** What came from files, and what live streams have left of records, is stored again where it is missing. */
export const reimport = (of: ImportSelection) =>
  withProgress({ label: "imports", units: "segments", things: "rows" }, ({ report }) => {
    const all = <E, R>(segments: Stream.Stream<ReplayedSegment, E, R>) =>
      Effect.suspend(() => {
        let sum = nothingImported
        return segments.pipe(
          Stream.runForEach((segment) => {
            sum = withSegment(sum, segment)
            return report({ done: sum.segments, of: 0, count: sum.rows })
          }),
          Effect.map(() => sum)
        )
      })
    return withOwner(
      Imports.use((imports) => all(imports.replay(of))),
      (client) => all(client["Import.replay"](of))
    )
  })

/** What a check found of what was imported. */
export interface CheckedImports {
  readonly compared: ReadonlyArray<Extract<ImportCheckEvent, { readonly _tag: "Compared" }>>
  readonly problems: ReadonlyArray<string>
}

export const checkImports = (options: ImportCheckOptions) =>
  withProgress({ label: "checking imports", units: "series", things: "rows" }, ({ report }) => {
    const all = <E, R>(events: Stream.Stream<ImportCheckEvent, E, R>) =>
      Effect.suspend(() => {
        const compared: Array<CheckedImports["compared"][number]> = []
        const problems: Array<string> = []
        return events.pipe(
          Stream.runForEach((event) => {
            if (event._tag === "Unread") problems.push(`import, response ${event.response}: ${event.message}`)
            else if (event._tag === "Busy") {
              problems.push(`${event.series}: it was written to while it was compared; check it again`)
            } else compared.push(event)
            const rows = compared.reduce((sum, { rebuilt }) => sum + rebuilt, 0)
            return report({ done: compared.length, of: 0, count: rows })
          }),
          Effect.map((): CheckedImports => ({ compared, problems }))
        )
      })
    return withOwner(
      Imports.use((imports) => all(imports.check(options))),
      (client) => all(client["Import.check"](options))
    )
  })

export const differs = ({ coverage, revisions, rows }: CheckedImports["compared"][number]): boolean =>
  rows + revisions + coverage > 0

export const checkedLines = ({ compared, problems }: CheckedImports): ReadonlyArray<string> => {
  const differing = compared.filter(differs)
  const rows = compared.reduce((sum, { rebuilt }) => sum + rebuilt, 0)
  const of = `${counted(compared.length, "series", "series")} with ${counted(rows, "row")}`
  return [
    ...problems.map(oneLine),
    ...differing.flatMap(({ coverage, differences, revisions, rows: moved, series }) => [
      `${oneLine(series)}: ${movedText({ rows: moved, revisions, coverage, actions: 0 })} moved`,
      ...differences.flatMap(({ at, rebuilt, stored, what }) => [
        `  ${what} at ${instant(at)}`,
        `    stored   ${oneLine(stored ?? "none")}`,
        `    archived ${oneLine(rebuilt ?? "none")}`
      ])
    ]),
    ...(compared.length === 0
      ? []
      : [
          `imported: ${of} compared with their files: ${differing.length === 0 ? "all the same" : `${differing.length} not the same`}`
        ])
  ]
}

export const importedLines = ({ inserted, problems, rows, segments }: Reimported): ReadonlyArray<string> =>
  segments === 0
    ? []
    : [
        ...problems.map(oneLine),
        `imported: ${counted(inserted, "row")} of ${counted(rows, "row")} stored again, from ${counted(segments, "segment")}`
      ]
