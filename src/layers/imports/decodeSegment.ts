/** The rows of a segment by series, and those that cannot be accepted. Pure but for the turns of the event loop between slices. */
import { Effect, Result } from "effect"
import type { Bar } from "../../domain/Bar.ts"
import type { Cell } from "../../domain/records/Column.ts"
import type { SplitInstant } from "../../domain/records/EpochNanos.ts"
import { instantReader } from "../../domain/records/instantText.ts"
import { type AnyRecord, defectOf, recordKinds, recordOf } from "../../domain/records/RecordKind.ts"
import { canonical, type SeriesKey } from "../../domain/SeriesKey.ts"
import { type ImportSpec, ImportsError, type RejectedLine, RowRefused, UnreadableText } from "../../services/Imports.ts"
import { barDefectIn } from "./barDefectIn.ts"
import { cellFrom, type Given, nanosFrom, Refused, stampFrom } from "./cells.ts"
import { columnsOf, type Target } from "./importFields.ts"
import { type SeriesParts, seriesResolver } from "./SeriesOfRow.ts"
import { sourceRows } from "./SourceRows.ts"

/** Rows of one series; `positions` are lines of the segment. */
export interface DecodedSeries {
  readonly series: SeriesKey
  readonly bars: Array<Bar>
  readonly records: Array<AnyRecord>
  readonly positions: Array<number>
}

export interface DecodedSegment {
  readonly series: ReadonlyArray<DecodedSeries>
  readonly rows: number
  readonly rejected: ReadonlyArray<RejectedLine>
}

const sliceRows = 2_048
/** Characters of a row in a reject file. */
const excerpt = 2_000

/** Lines are not said to be lines: that is what they are unless something else is said. */
const unitOf = ({ format }: ImportSpec) => (format === "arrow" ? { unit: "row" as const } : {})

const failed = (reason: UnreadableText | RowRefused) => new ImportsError({ reason })

const barOf = ({ millis }: SplitInstant, cells: ReadonlyArray<Cell>): Bar => {
  const number = (index: number): number => (typeof cells[index] === "number" ? cells[index] : Number.NaN)
  const nullable = (index: number): number | null => (typeof cells[index] === "number" ? cells[index] : null)
  return {
    ts: millis,
    open: number(0),
    high: number(1),
    low: number(2),
    close: number(3),
    volume: nullable(4),
    vwap: nullable(5),
    count: nullable(6)
  }
}

/**
 * `line` is the line of the text at which the segment begins. Fails when the text cannot be read, and at the first row that cannot be
 * accepted where the spec says so.
 */
export const decodeSegment = Effect.fnUntraced(function* (
  spec: ImportSpec,
  bytes: Uint8Array,
  line: number
): Effect.fn.Return<DecodedSegment, ImportsError> {
  const { kind } = spec
  const unit = unitOf(spec)
  // Arrow's library is loaded for Arrow alone.
  const opened =
    spec.format === "arrow"
      ? (yield* Effect.promise(() => import("./arrow/arrowRows.ts"))).arrowRows(spec, bytes)
      : sourceRows(spec, bytes)
  if (Result.isFailure(opened))
    return yield* failed(new UnreadableText({ line: null, message: opened.failure, ...unit }))
  const next = opened.success
  const columns = columnsOf(kind)
  const stampedInNanos = kind !== "bar" && recordKinds[kind].nanos
  const readInstant = instantReader()
  const resolve = seriesResolver(spec)
  const bySeries = new Map<string, DecodedSeries>()
  const rejected: Array<RejectedLine> = []
  let rows = 0

  const parts: SeriesParts = { ...spec.defaults }
  const cells: Array<Cell> = []
  let instant: SplitInstant | null = null
  let why: string | null = null

  const take = (target: Target, value: Given) => {
    if (target._tag === "Cell") {
      const column = columns[target.index]
      if (column === undefined) return
      const cell = cellFrom(column, value)
      if (cell instanceof Refused) why ??= cell.why
      else cells[target.index] = cell
    } else if (target._tag === "Stamp") {
      const stamp = target.nanos ? nanosFrom(value) : stampFrom(value, stampedInNanos, readInstant)
      if (stamp instanceof Refused) why ??= stamp.why
      else if (instant !== null && (instant.millis !== stamp.millis || instant.nanos !== stamp.nanos)) {
        why ??= "it has two stamps that differ"
      } else instant = stamp
    } else if (target._tag === "Series" && value instanceof Refused) {
      why ??= `${target.part}: ${value.why}`
    } else if (target._tag === "Series" && value !== null) {
      parts[target.part] = typeof value === "string" ? value : String(value)
    }
  }

  /** The row as it goes into its series; a sentence when it cannot be accepted. */
  const accept = (position: number): string | null => {
    if (why !== null) return why
    if (instant === null) return "ts is missing"
    const resolved = resolve(parts)
    if (Result.isFailure(resolved)) return resolved.failure
    const { key, text } = resolved.success
    let group = bySeries.get(text)
    if (group === undefined) {
      group = { series: key, bars: [], records: [], positions: [] }
      bySeries.set(text, group)
    }
    if (kind === "bar") {
      const bar = barOf(instant, cells)
      const defect = barDefectIn(key, bar)
      if (defect !== null) return defect
      group.bars.push(bar)
    } else {
      const record = recordOf(kind, instant, cells)
      const defect = defectOf(kind, record)
      if (defect !== null) return defect
      group.records.push(record)
    }
    group.positions.push(position)
    return null
  }

  for (let index = 1; ; index++) {
    if (index % sliceRows === 0) yield* Effect.yieldNow
    const row = next()
    if (row === null) break
    const at = line + row.position - 1
    if (row.fatal) {
      return yield* failed(new UnreadableText({ line: at, message: row.problem ?? "the rest cannot be told apart" }))
    }
    rows++
    Object.assign(parts, spec.defaults)
    cells.fill(null)
    for (let column = cells.length; column < columns.length; column++) cells[column] = null
    instant = null
    why = row.problem
    if (why === null) row.each(take)
    const reason = accept(row.position)
    if (reason === null) continue
    if (spec.rejects === "fail") return yield* failed(new RowRefused({ line: at, message: reason, ...unit }))
    rejected.push({ line: at, reason, text: row.text().slice(0, excerpt) })
  }
  const series = [...bySeries.values()].filter(({ positions }) => positions.length > 0)
  series.sort((a, b) => (canonical(a.series) < canonical(b.series) ? -1 : 1))
  return { series, rows, rejected }
})
