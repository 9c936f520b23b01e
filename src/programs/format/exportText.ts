/** Exports, and what a check of one found, as tables and as JSON documents. */
import { Result } from "effect"
import { parse } from "../../domain/SeriesKey.ts"
import type { ExportProblem, ExportReport } from "../../layers/export/ExportReport.ts"
import type { Manifest } from "../../layers/export/Manifest.ts"
import { titleOf } from "../flags/SeriesFlags.ts"
import { oneLine, type Style } from "../terminal/Style.ts"
import { bytes, counted, grouped } from "./Numbers.ts"
import { type Column, render } from "./Table.ts"

const columns: ReadonlyArray<Column> = [
  { header: "series", align: "left" },
  { header: "file", align: "left" },
  { header: "rows", align: "right" },
  { header: "size", align: "right" },
  { header: "first", align: "left" },
  { header: "last", align: "left" },
  { header: "answers", align: "right" },
  { header: "complete", align: "left" }
]

const title = (series: string): string => Result.match(parse(series), { onSuccess: titleOf, onFailure: () => series })

export const exportTable = (manifest: Manifest): ReadonlyArray<string> =>
  render(
    columns,
    manifest.series.map(({ complete, file, receipts, series }) => [
      title(series),
      file.name,
      grouped(file.rows),
      bytes(file.bytes),
      file.first ?? "-",
      file.last ?? "-",
      grouped(new Set(receipts.map(({ response }) => response)).size),
      complete ? "yes" : "no"
    ])
  )

/** The manifest without what only a check needs. */
export const exportDocument = (directory: string, manifest: Manifest) => ({
  directory,
  format: manifest.rows,
  lineage: manifest.lineage,
  asOf: manifest.asOf,
  complete: manifest.complete,
  series: manifest.series.map(({ complete, coverage, file: { blocks: _, ...file }, range, receipts, series }) => ({
    series,
    range,
    complete,
    file,
    coverage,
    responses: [...new Set(receipts.map(({ response }) => response))]
  })),
  self: manifest.self
})

export const reportDocument = (report: ExportReport) => ({ ok: report.problems.length === 0, ...report })

const problemLine = ({ file, message }: ExportProblem): string => oneLine(`${file}: ${message}`)

export const reportLines = (report: ExportReport, dataDir: string, style: Style): ReadonlyArray<string> => {
  const { archive, files, problems, rows } = report
  const what = `${counted(rows, "row")} in ${counted(files, "file")} (${bytes(report.bytes)})`
  return [
    ...problems.map((problem) => style.red(problemLine(problem))),
    ...report.notes.map((note) => style.yellow(`not checked: ${oneLine(note)}`)),
    problems.length === 0 ? `${what}: as they were written` : `${what} checked: ${counted(problems.length, "problem")}`,
    archive === null
      ? style.dim("checked by itself; no archive was at hand")
      : `${counted(archive.responses, "answer")} of the archive in ${dataDir} compared by sha256, ${counted(archive.rows, "row")} decoded again from their bytes`,
    ...(report.complete === false
      ? ["the export itself says that it is not complete: see coverage in its manifest"]
      : [])
  ]
}
