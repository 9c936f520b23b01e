/** The rows of an answer as text in the format asked for, in pieces that are written as they come. */
import { Effect, Stream } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { Zone } from "../../domain/Instant.ts"
import type { Timeframe } from "../../domain/Timeframe.ts"
import {
  csvHeader,
  csvRows,
  ndjsonRows,
  sourcedCsvHeader,
  sourcedCsvRows,
  sourcedNdjsonRows
} from "../../layers/export/BarsText.ts"
import type { SourcedBar } from "../../services/PreferredVendors.ts"
import { barsTable } from "./BarsTable.ts"
import { counted } from "./Numbers.ts"

export const formats = ["table", "csv", "ndjson"] as const
export type Format = (typeof formats)[number]

export interface BarsOutput<E> {
  readonly format: Format
  /** Run twice for a table: once to measure, once to show. `sourced` ones name their vendor. */
  readonly rows:
    | { readonly sourced: false; readonly bars: Stream.Stream<Bar, E> }
    | { readonly sourced: true; readonly bars: Stream.Stream<SourcedBar, E> }
  readonly count: number
  readonly timeframe: Timeframe
  readonly zone: Zone
  /** Lines that the table may take; longer ones show their first and last rows. Null: all rows. */
  readonly height: number | null
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
}

/**
 * A format by the ending of a file's name: a table for `.txt` and for a name without an ending. Null for any other, so that a
 * program that expects Parquet or JSON is not handed a table.
 */
export const formatOf = (file: string): Format | null => {
  if (/\.csv$/i.test(file)) return "csv"
  if (/\.(ndjson|jsonl)$/i.test(file)) return "ndjson"
  return /\.txt$/i.test(file) || !/[^./]\.[^./]+$/.test(file) ? "table" : null
}

// Under this many rows a cut would hide more than it spares.
const fewest = 12

const tableText = <E>(output: BarsOutput<E>): Stream.Stream<string, E> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { count, height } = output
      const bars: Stream.Stream<Bar | SourcedBar, E> = output.rows.bars
      const room = height === null ? count : Math.max(fewest, height - 1)
      const head = count <= room ? count : Math.ceil(room / 2)
      const tail = count <= room ? count : count - Math.floor(room / 2)
      const isShown = (index: number) => index < head || index >= tail
      const draft = barsTable(output.timeframe, output.zone)
      let measured = 0
      yield* Stream.runForEachArray(bars, (chunk) =>
        Effect.sync(() => {
          for (const bar of chunk) if (isShown(measured++)) draft.measure(bar)
        })
      )
      const table = draft.table()
      let index = 0
      const rows = Stream.mapArray(bars, (chunk) => {
        const lines: Array<string> = []
        for (const bar of chunk) {
          if (isShown(index)) lines.push(table.row(bar))
          else if (index === head) {
            lines.push(
              output.dim(`… ${counted(tail - head, "more row", "more rows")} (use --limit, --format csv or --out)`)
            )
          }
          index++
        }
        return [lines.length === 0 ? "" : `${lines.join("\n")}\n`]
      })
      return Stream.concat(Stream.succeed(`${output.bold(table.header)}\n`), rows)
    })
  )

export const barsOutput = <E>(output: BarsOutput<E>): Stream.Stream<string, E> => {
  switch (output.format) {
    case "table":
      return output.count === 0 ? Stream.empty : tableText(output)
    case "csv":
      return output.rows.sourced
        ? Stream.concat(
            Stream.succeed(sourcedCsvHeader),
            Stream.mapArray(output.rows.bars, (chunk) => [sourcedCsvRows(chunk)])
          )
        : Stream.concat(
            Stream.succeed(csvHeader),
            Stream.mapArray(output.rows.bars, (chunk) => [csvRows(chunk)])
          )
    case "ndjson":
      return output.rows.sourced
        ? Stream.mapArray(output.rows.bars, (chunk) => [sourcedNdjsonRows(chunk)])
        : Stream.mapArray(output.rows.bars, (chunk) => [ndjsonRows(chunk)])
  }
}
