/** The rows of a file against the runs of its receipts, and, with an archive, against the answers that the runs name. */
import { Effect } from "effect"
import type { ArchiveCheck, DecodedRows } from "./ArchiveCheck.ts"
import type { ExportError } from "./ExportError.ts"
import type { ExportedSeries, ExportReceipt } from "./Manifest.ts"
import type { FileRow } from "./RowCodec.ts"
import type { RowKind } from "./RowKind.ts"

interface Run {
  /** The number of its first row, from 0, and of the first behind it; 0 and infinity where stamps tell. */
  readonly from: number
  readonly until: number
  readonly first: number
  readonly last: number
  readonly receipt: ExportReceipt
}

/** Answers whose rows are kept decoded: runs of a few answers may take turns. */
const keptDecoded = 4

/** Rows are shown in order, each with its number in the file, from 0. */
export interface RunCheck<Row> {
  /** Loads what a row is compared with; null where it is at hand. */
  readonly load: (row: FileRow<Row>, number: number) => Effect.Effect<void, ExportError> | null
  /** What is wrong with a row whose answer is loaded; null when nothing is. */
  readonly check: (row: FileRow<Row>, number: number) => string | null
  /** Rows that were compared with the archive's bytes. */
  readonly compared: () => number
}

/** `note` is told once of each answer that cannot be compared, `fault` of each that cannot be read. */
export const make = <Row>(
  kind: RowKind<Row>,
  entry: ExportedSeries,
  against: ArchiveCheck | null,
  note: (message: string) => void,
  fault: (message: string) => void
): RunCheck<Row> => {
  const runs = entry.receipts
    .flatMap((receipt) =>
      receipt.runs.map(
        ({ first, from, last, rows }): Run => ({
          from: from ?? 0,
          until: from === undefined ? Number.POSITIVE_INFINITY : from + rows,
          first: Date.parse(first),
          last: Date.parse(last),
          receipt
        })
      )
    )
    .toSorted((a, b) => a.from - b.from || a.first - b.first)
  const decoded = new Map<ExportReceipt, DecodedRows<Row> | null>()
  let at = 0
  let compared = 0

  const decodedOf = Effect.fnUntraced(function* (check: ArchiveCheck, receipt: ExportReceipt) {
    const found = yield* check.rows(kind, entry, receipt)
    if (found._tag === "Unchecked") note(found.message)
    if (found._tag === "Problem") fault(found.message)
    const rows = found._tag === "Value" ? found.value : null
    // What could not be had is remembered without weight, so that it is told once.
    const [oldest] = [...decoded].filter(([, held]) => held !== null)
    if (oldest !== undefined && [...decoded.values()].filter((held) => held !== null).length >= keptDecoded) {
      decoded.delete(oldest[0])
    }
    decoded.set(receipt, rows)
  })

  const runOf = ({ row }: FileRow<Row>, number: number): Run | undefined => {
    const millis = kind.millis(row)
    const isOver = (run: Run): boolean => (kind.numbered ? run.until <= number : run.last < millis)
    for (let run = runs[at]; run !== undefined && isOver(run); run = runs[at]) at++
    const run = runs[at]
    return run === undefined || millis < run.first || millis > run.last || number < run.from ? undefined : run
  }

  const difference = (row: FileRow<Row>, told: ExportReceipt, rows: DecodedRows<Row>): string | null => {
    // Alike in what tells rows apart: several where they are as many events, or where an answer says a thing twice.
    const alike = rows.get(kind.keyOf(row.row)) ?? []
    const there = row.position === null ? alike : alike.filter(({ position }) => position === row.position)
    const [last] = alike.slice(-1)
    if (last === undefined) return `response ${told.response} has no such row`
    if (there.length === 0) {
      return `its position is ${row.position}, and response ${told.response} has the row at ${last.position}`
    }
    if (there.some((other) => kind.difference(row.row, other.row) === null)) return null
    const found = kind.difference(row.row, there[there.length - 1]?.row ?? last.row)
    return found === null ? null : `its ${found.field} is ${found.is}, and response ${told.response} has ${found.was}`
  }

  return {
    load: (row, number) => {
      const run = against === null ? undefined : runOf(row, number)
      return run === undefined || against === null || decoded.has(run.receipt)
        ? null
        : Effect.asVoid(decodedOf(against, run.receipt))
    },
    check: (row, number) => {
      const told = runOf(row, number)?.receipt
      if (told === undefined) return "no receipt accounts for it"
      if (row.response !== null && row.response !== told.response) {
        return `it names response ${row.response}, and its receipt is of response ${told.response}`
      }
      const rows = decoded.get(told) ?? null
      if (rows === null) return null
      compared++
      return difference(row, told, rows)
    },
    compared: () => compared
  }
}
