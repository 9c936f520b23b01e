/** The steps of a replay as a table whose widths are those of its first rows, so that it can be written while it goes on. */
import type { ReplayRecord } from "../../services/ProvenanceStore.ts"
import { oneLine } from "../terminal/Style.ts"
import { responseColumns, responseRow } from "./archiveRows.ts"
import { type Column, headerLine, type Layout, layoutOf, measure, rowLine } from "./Table.ts"

/** `note` stands last: the file that was written, or what is wrong. */
export interface ReplayRow {
  readonly record: ReplayRecord
  readonly note: string | null
}

const columns: ReadonlyArray<Column> = [{ header: "call", align: "right" }, ...responseColumns]

const cellsOf = ({ note, record: { call, response } }: ReplayRow): ReadonlyArray<string> => {
  const cells = [String(call), ...responseRow(response)]
  return (note === null ? cells : [...cells.slice(0, -1), note]).map(oneLine)
}

export interface ReplayTable {
  readonly header: string
  readonly row: (row: ReplayRow) => string
}

export const replayTable = (first: ReadonlyArray<ReplayRow>, noteHeader: string | null): ReplayTable => {
  const shown = noteHeader === null ? columns : columns.with(-1, { header: noteHeader, align: "left" })
  const layout: Layout = layoutOf(shown)
  for (const row of first) measure(layout, cellsOf(row))
  return { header: headerLine(layout), row: (row) => rowLine(layout, cellsOf(row)) }
}
