/** Tables that fit the terminal, however narrow or low it is. Columns are left out whole, since half of a number is another number. */
import { type Column, render } from "./Table.ts"

/** `spare`: left out where there is no room for it, the highest first; those of 0 never. */
export interface SpareColumn extends Column {
  readonly spare: number
}

/** Header first, with as many columns as there is room for; `fits` is given the lines and the cells that they are of, which have no header. */
export const fittedTable = (
  columns: ReadonlyArray<SpareColumn>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  fits: (lines: ReadonlyArray<string>, cells: ReadonlyArray<ReadonlyArray<string>>) => boolean
): ReadonlyArray<string> => {
  for (let most = Math.max(...columns.map(({ spare }) => spare)); ; most--) {
    const kept = columns.map(({ spare }) => spare <= most)
    const cells = rows.map((row) => row.filter((_, index) => kept[index]))
    const lines = render(
      columns.filter((_, index) => kept[index]),
      cells
    )
    if (most <= 0 || fits(lines, cells)) return lines
  }
}

/** As many of the lines as there is room for; what is left out is counted in the last of them. */
export const lowered = (lines: ReadonlyArray<string>, room: number): ReadonlyArray<string> => {
  if (lines.length <= room) return lines
  const shown = lines.slice(0, Math.max(0, room - 1))
  return [...shown, `${lines.length - shown.length} more`]
}
