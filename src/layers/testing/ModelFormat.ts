/**
 * The text that the model vendor sends, one line each:
 *
 *     model 1 ALPHA 1m
 *     range 2024-01-01T00:00:00.000Z 2024-01-01T00:03:00.000Z
 *     2024-01-01T00:00:00.000Z 131.20 131.64 130.55 130.58 73012
 *     2024-01-01T00:02:00.000Z 102.45 103.00 101.74 102.10 5120
 *     end 2
 *
 * A row is stamp, open, high, low, close, volume. The last line counts the rows, so that a broken body is recognised. A
 * position is the number of a line, from 1.
 */
import { Effect } from "effect"
import { type Bar, defectOf } from "../../domain/Bar.ts"
import { contains, type TimeRange } from "../../domain/TimeRange.ts"
import { type DecodedBars, type Excerpt, Malformed } from "../../services/Adapter.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Cents, and more decimals only where a split has left some. */
const price = (value: number): string => (Number(value.toFixed(2)) === value ? value.toFixed(2) : String(value))

const rowOf = ({ close, high, low, open, ts, volume }: Bar): string =>
  `${new Date(ts).toISOString()} ${price(open)} ${price(high)} ${price(low)} ${price(close)} ${volume}`

export const encode = (symbol: string, timeframe: string, range: TimeRange, bars: ReadonlyArray<Bar>): Uint8Array =>
  encoder.encode(
    [
      `model 1 ${symbol} ${timeframe}`,
      `range ${new Date(range.start).toISOString()} ${new Date(range.end).toISOString()}`,
      ...bars.map(rowOf),
      `end ${bars.length}`,
      ""
    ].join("\n")
  )

/** A body that breaks off in the middle. */
export const truncate = (body: Uint8Array): Uint8Array => body.slice(0, Math.floor(body.length / 2))

/** What the vendor says instead of rows. */
export const encodeRefusal = (message: string): Uint8Array => encoder.encode(`refused: ${message}\n`)

const malformed = (position: number | null, message: string) => Effect.fail(new Malformed({ position, message }))

/** The rows of a body that lie in `range`. */
export const decode = (payload: Uint8Array, range: TimeRange): Effect.Effect<DecodedBars, Malformed> => {
  const lines = decoder.decode(payload).split("\n")
  if (!lines[0]?.startsWith("model 1 ")) return malformed(1, "the first line is not `model 1 ...`")
  const rows = lines.slice(2, -2)
  if (lines.at(-2) !== `end ${rows.length}` || lines.at(-1) !== "") return malformed(null, "the body breaks off")
  const bars: Array<Bar> = []
  const positions: Array<number> = []
  for (const [index, line] of rows.entries()) {
    const [stamp = "", open, high, low, close, volume] = line.split(" ")
    const bar: Bar = {
      ts: Date.parse(stamp),
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
      volume: Number(volume),
      vwap: null,
      count: null
    }
    const position = index + 3
    const defect = defectOf(bar, { allowNonPositivePrices: false })
    if (defect !== null) return malformed(position, defect)
    if (!contains(range, bar.ts)) continue
    bars.push(bar)
    positions.push(position)
  }
  return Effect.succeed({ bars, positions, rejected: [] })
}

export const locate = (payload: Uint8Array, position: number): Effect.Effect<Excerpt, Malformed> => {
  const line = decoder.decode(payload).split("\n")[position - 1]
  return line === undefined
    ? malformed(position, `there is no line ${position}`)
    : Effect.succeed({ label: `line ${position}`, text: line })
}
