/** The rows of a file against the runs of its receipts, and, with an archive, against the answers that the runs name. */
import { Effect } from "effect"
import { sameValues } from "../../domain/Bar.ts"
import type { ArchiveCheck, DecodedRows } from "./ArchiveCheck.ts"
import type { ExportError } from "./ExportError.ts"
import type { ExportedSeries, ExportReceipt } from "./Manifest.ts"
import type { FileRow } from "./RowCodec.ts"

interface Run {
  readonly first: number
  readonly last: number
  readonly receipt: ExportReceipt
}

/** Answers whose rows are kept decoded: runs of a few answers may take turns. */
const keptDecoded = 4

const fields = ["open", "high", "low", "close", "volume", "vwap", "count"] as const

const difference = (row: FileRow, told: ExportReceipt, decoded: DecodedRows): string | null => {
  const there = decoded.get(row.bar.ts)
  if (there === undefined) return `response ${told.response} has no such row`
  if (row.position !== null && row.position !== there.position) {
    return `its position is ${row.position}, and response ${told.response} has the row at ${there.position}`
  }
  if (sameValues(row.bar, there.bar)) return null
  const field = fields.find((name) => row.bar[name] !== there.bar[name]) ?? "close"
  return `its ${field} is ${row.bar[field]}, and response ${told.response} has ${there.bar[field]}`
}

/** Rows are shown in order. */
export interface RunCheck {
  /** Loads what a row is compared with; null where it is at hand. */
  readonly load: (row: FileRow) => Effect.Effect<void, ExportError> | null
  /** What is wrong with a row whose answer is loaded; null when nothing is. */
  readonly check: (row: FileRow) => string | null
  /** Rows that were compared with the archive's bytes. */
  readonly compared: () => number
}

/** `note` is told once of each answer that cannot be compared, `fault` of each that cannot be read. */
export const make = (
  entry: ExportedSeries,
  against: ArchiveCheck | null,
  note: (message: string) => void,
  fault: (message: string) => void
): RunCheck => {
  const runs = entry.receipts
    .flatMap((receipt) =>
      receipt.runs.map((run): Run => ({ first: Date.parse(run.first), last: Date.parse(run.last), receipt }))
    )
    .toSorted((a, b) => a.first - b.first)
  const decoded = new Map<ExportReceipt, DecodedRows | null>()
  let at = 0
  let compared = 0

  const decodedOf = Effect.fnUntraced(function* (check: ArchiveCheck, receipt: ExportReceipt) {
    const found = yield* check.rows(entry, receipt)
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

  const runOf = (row: FileRow): Run | undefined => {
    while ((runs[at]?.last ?? Number.POSITIVE_INFINITY) < row.bar.ts) at++
    const run = runs[at]
    return run === undefined || row.bar.ts < run.first ? undefined : run
  }

  return {
    load: (row) => {
      const run = against === null ? undefined : runOf(row)
      return run === undefined || against === null || decoded.has(run.receipt)
        ? null
        : Effect.asVoid(decodedOf(against, run.receipt))
    },
    check: (row) => {
      const told = runOf(row)?.receipt
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
