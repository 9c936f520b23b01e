/**
 * Plain tables: two spaces between columns, text to the left, counts to the right, prices with their decimal points under
 * each other. The widths come from measuring every row first, so a table of any length is aligned and needs no more memory
 * than its widths.
 */
import { displayWidth } from "./Width.ts"

export interface Column {
  readonly header: string
  /** `decimal`: prices of one instrument, filled up with zeros; `point`: of several, with blanks. */
  readonly align: "left" | "right" | "decimal" | "point"
}

interface Measure {
  whole: number
  fraction: number
  text: number
}

export interface Layout {
  readonly columns: ReadonlyArray<Column>
  readonly measures: ReadonlyArray<Measure>
}

// Beyond this many decimals zeros at the end would only be noise, and blanks take their place.
const maxZeroPadding = 6

export const layoutOf = (columns: ReadonlyArray<Column>): Layout => ({
  columns,
  measures: columns.map((column) => ({ whole: 0, fraction: 0, text: displayWidth(column.header) }))
})

const hasPoint = ({ align }: Column): boolean => align === "decimal" || align === "point"

const pointOf = (cell: string): number => {
  const point = cell.indexOf(".")
  return point < 0 ? cell.length : point
}

/** Widens the layout so that this row fits. */
export const measure = (layout: Layout, cells: ReadonlyArray<string>): void => {
  for (let i = 0; i < layout.columns.length; i++) {
    const cell = cells[i] ?? ""
    const [column, measures] = [layout.columns[i], layout.measures[i]]
    if (column === undefined || measures === undefined) continue
    if (hasPoint(column)) {
      const point = pointOf(cell)
      measures.whole = Math.max(measures.whole, point)
      measures.fraction = Math.max(measures.fraction, cell.length - point)
    } else {
      measures.text = Math.max(measures.text, displayWidth(cell))
    }
  }
}

const width = (measures: Measure): number => Math.max(measures.text, measures.whole + measures.fraction)

const endsInDigit = (cell: string): boolean => {
  const last = cell.charCodeAt(cell.length - 1)
  return last >= 48 && last <= 57
}

const aligned = (cell: string, measures: Measure, zeros: boolean): string => {
  const point = pointOf(cell)
  const missing = measures.fraction - (cell.length - point)
  // The fraction's width counts its point.
  if (missing === 0) return cell
  if (!zeros || !endsInDigit(cell) || measures.fraction - 1 > maxZeroPadding) return cell + " ".repeat(missing)
  return point === cell.length ? `${cell}.${"0".repeat(missing - 1)}` : cell + "0".repeat(missing)
}

const place = (text: string, column: Column, measures: Measure): string => {
  // Numbers are plain ASCII, whose width is their length.
  const taken = hasPoint(column) ? text.length : displayWidth(text)
  const gap = Math.max(0, width(measures) - taken)
  if (gap === 0) return text
  return column.align === "left" ? text + " ".repeat(gap) : " ".repeat(gap) + text
}

const join = (cells: ReadonlyArray<string>): string => cells.join("  ").trimEnd()
const emptyMeasure: Measure = { whole: 0, fraction: 0, text: 0 }

export const headerLine = (layout: Layout): string =>
  join(layout.columns.map((column, i) => place(column.header, column, layout.measures[i] ?? emptyMeasure)))

export const rowLine = (layout: Layout, cells: ReadonlyArray<string>): string =>
  join(
    layout.columns.map((column, i) => {
      const measures = layout.measures[i] ?? emptyMeasure
      const cell = cells[i] ?? ""
      return place(hasPoint(column) ? aligned(cell, measures, column.align === "decimal") : cell, column, measures)
    })
  )

/** A whole table at once, header first. */
export const render = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const layout = layoutOf(columns)
  for (const row of rows) measure(layout, row)
  return [headerLine(layout), ...rows.map((row) => rowLine(layout, row))]
}
