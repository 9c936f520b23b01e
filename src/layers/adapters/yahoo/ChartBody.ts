/**
 * Where the parts of a chart are in its bytes:
 *
 *     {"chart":{"result":[{"meta":{},"timestamp":[],"events":{},
 *       "indicators":{"quote":[{"open":[],"high":[],"low":[],"close":[],"volume":[]}],"adjclose":[{"adjclose":[]}]}}],"error":null}}
 *
 * Keys come in any order. The long arrays are found, not read; `meta` and `events` are short.
 */
import { Result } from "effect"
import { JsonWalker, type Slice } from "./JsonWalker.ts"

export const columnNames = ["open", "high", "low", "close", "volume", "adjclose"] as const
export type ColumnName = (typeof columnNames)[number]

export interface ChartBody {
  readonly walker: JsonWalker
  readonly meta: Slice
  /** Null in an answer without rows. */
  readonly timestamp: Slice | null
  readonly events: Slice | null
  readonly columns: Readonly<Partial<Record<ColumnName, Slice>>>
}

interface Found {
  meta: Slice | null
  timestamp: Slice | null
  events: Slice | null
  columns: Partial<Record<ColumnName, Slice>>
}

const isColumn = (name: string): name is ColumnName => columnNames.some((column) => column === name)

const notChart = "the body is no chart: there is no chart.result[0].meta in it"
const broken = "the body is no chart, or it breaks off"

const readResult = (walker: JsonWalker, found: Found) => {
  const kept = (start: number, keep: (slice: Slice) => void): number => {
    const end = walker.skip(start)
    if (end !== -1 && !walker.isNull(start)) keep({ start, end })
    return end
  }
  const column = (name: string, value: number): number =>
    isColumn(name)
      ? kept(value, (slice) => {
          found.columns[name] = slice
        })
      : walker.skip(value)
  const indicator = (name: string, value: number): number =>
    name === "quote" || name === "adjclose"
      ? walker.first(value, (item) => walker.members(item, column))
      : walker.skip(value)
  return (name: string, value: number): number => {
    switch (name) {
      case "meta":
      case "timestamp":
      case "events":
        return kept(value, (slice) => {
          found[name] = slice
        })
      case "indicators":
        return walker.isNull(value) ? walker.skip(value) : walker.members(value, indicator)
      default:
        return walker.skip(value)
    }
  }
}

/** The parts of a body; fails with a sentence when it is no chart. */
export const chartBody = (bytes: Uint8Array): Result.Result<ChartBody, string> => {
  const walker = new JsonWalker(bytes)
  const found: Found = { meta: null, timestamp: null, events: null, columns: {} }
  const result = readResult(walker, found)
  const part = (name: string, value: number): number =>
    name === "result" ? walker.first(value, (item) => walker.members(item, result)) : walker.skip(value)
  const end = walker.members(0, (name, value) =>
    name === "chart" && !walker.isNull(value) ? walker.members(value, part) : walker.skip(value)
  )
  if (end === -1 || !walker.endsAt(end)) return Result.fail(broken)
  const { columns, events, meta, timestamp } = found
  return meta === null ? Result.fail(notChart) : Result.succeed({ walker, meta, timestamp, events, columns })
}
