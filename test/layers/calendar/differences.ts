/** The differences from published calendars that docs/calendars.md lists, and the comparison with what is found. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"

/** A date on which two calendars are not the same, each in the exchange's own time. */
export interface Difference {
  readonly date: string
  readonly ours: string
  readonly theirs: string
}

interface Listed {
  readonly reference: string
  readonly calendar: string
  readonly from: string
  readonly until: string
  readonly ours: string
  readonly theirs: string
  readonly count: number
}

const page = join(import.meta.dirname, "../../../docs/calendars.md")

/** Rows such as `| published | XNYS | 1994-02-11 | 09:30-14:30 | 09:30-16:00 | 1 | reason |`. */
const listed: ReadonlyArray<Listed> = readFileSync(page, "utf8")
  .split("\n")
  .filter((line) => /^\|\s*(published|database)\s*\|/.test(line))
  .map((line) => {
    const [, reference = "", calendar = "", dates = "", ours = "", theirs = "", count = ""] = line
      .split("|")
      .map((cell) => cell.trim())
    const [from = "", until = from] = dates.split(" to ")
    return { reference, calendar, from, until, ours, theirs, count: Number(count) }
  })

/** Fails when a difference is not listed, and when one that is listed is not there any more. */
export const assertListed = (reference: string, calendar: string, found: ReadonlyArray<Difference>): void => {
  const rows = listed.filter((row) => row.reference === reference && row.calendar === calendar)
  const matches = (row: Listed) => (difference: Difference) =>
    difference.date >= row.from &&
    difference.date <= row.until &&
    difference.ours === row.ours &&
    difference.theirs === row.theirs
  const unlisted = found.filter((difference) => !rows.some((row) => matches(row)(difference)))
  assert.deepStrictEqual(unlisted, [], `${calendar}: differences that docs/calendars.md does not list`)
  for (const row of rows) {
    const count = found.filter(matches(row)).length
    assert.strictEqual(
      count,
      row.count,
      `${calendar}: days of ${row.from} to ${row.until} that docs/calendars.md lists`
    )
  }
}
